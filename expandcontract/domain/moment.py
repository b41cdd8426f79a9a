"""Moments for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def at(moment: datetime) -> str:
    """A time for people, to the second, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def no_earlier_than(moment: datetime) -> str:
    """The first whole second at which `moment` has come, for whoever is told to wait for it."""
    return at(moment if not moment.microsecond else moment + timedelta(seconds=1))
