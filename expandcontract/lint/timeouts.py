"""The values of PostgreSQL's time-out settings."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {
    "": timedelta(milliseconds=1),
    "us": timedelta(microseconds=1),
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_VALUE = re.compile(r"\s*([0-9.]+)\s*(us|ms|s|min|h|d|)\s*\Z")


def duration(value: str | None) -> timedelta | None:
    """Give the duration that a setting's text means, in milliseconds without a unit; None if it is none."""
    match = _VALUE.match(value) if value is not None else None
    return float(match[1]) * _UNITS[match[2]] if match else None
