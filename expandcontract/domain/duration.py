"""Durations as people write them: ``14d``, ``1d12h``, ``90s``."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_MILLISECONDS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_PART = re.compile(r"([0-9]{1,9})(ms|[wdhms])")
_LONGEST = timedelta(days=3650)


def parse_duration(text: str) -> timedelta:
    """
    The length of time that `text` names: whole numbers, each with a unit of w, d, h, m, s or ms.

    Raises:
        ValueError: no unit, a sign, a fraction, an unknown unit, or more than ten years.

    """
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration; write for example 30s, 15m, 12h, 14d or 1d12h")
    total = sum(int(number) * _MILLISECONDS[unit] for number, unit in parts)
    if total > _LONGEST / timedelta(milliseconds=1):
        raise ValueError(f"{text!r} is longer than ten years")
    return timedelta(milliseconds=total)


def as_duration(value: str | timedelta) -> timedelta:
    """
    A length of time as an author may write it.

    Raises:
        ValueError: see `parse_duration`.
    """
    return value if isinstance(value, timedelta) else parse_duration(str(value))


def until_time_of_day(text: str, now: datetime) -> timedelta:
    """
    How long it is from `now` until the clock next shows `text`, such as ``06:00``; it may be changed meanwhile.

    Raises:
        ValueError: it is no time of day.
    """
    found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", text)
    if not found:
        raise ValueError(f"{text!r} is not a time of day; write for example 06:00")
    moment = now.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
    next_one = moment if moment > now else moment + timedelta(days=1)
    return timedelta(seconds=next_one.timestamp() - now.timestamp())


def format_duration(length: timedelta) -> str:
    """`length` to the millisecond, as `parse_duration` reads it: ``14d``, ``1d12h``, ``3m20s``, ``1s200ms``, ``0s``."""
    left = round(length / timedelta(milliseconds=1))
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, left = divmod(left, _MILLISECONDS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
