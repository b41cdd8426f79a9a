"""Quantities as people write them in limits: ``64MB``, ``50ms``, ``20%``, ``1000``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from expandcontract.domain.duration import format_duration, parse_duration
from expandcontract.domain.throttle import Limits

# As PostgreSQL's own settings have them: powers of 1024, https://www.postgresql.org/docs/current/config-setting.html
_BYTES = {"B": 1, "kB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
_SIZE = re.compile(rf"([0-9]+(?:\.[0-9]+)?) ?({'|'.join(_BYTES)})")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_LIMIT = re.compile(r"(slow|stop) +(\S.*)")


@dataclass(frozen=True)
class Unit:
    """How a quantity is read and said."""

    parse: Callable[[str], float]
    say: Callable[[float], str]
    example: str


def parse_size(text: str) -> float:
    """
    Bytes from ``64MB``; kB, MB, GB and TB are powers of 1024, as in PostgreSQL.

    Raises:
        ValueError: it is no size.
    """
    found = _SIZE.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not a size; write for example 64MB or 1GB")
    return float(found[1]) * _BYTES[found[2]]


def format_size(size: float) -> str:
    """`size` bytes for people: ``1.2 GB``, ``640 kB``."""
    amount, unit = next(
        ((size / length, name) for name, length in reversed(_BYTES.items()) if abs(size) >= length), (size, "B")
    )
    return f"{amount:.3g} {unit}" if amount < 100 else f"{amount:.0f} {unit}"


def parse_number(text: str) -> float:
    """
    A number from ``1000`` or ``0.5``.

    Raises:
        ValueError: it is none.
    """
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is not a number; write for example 1000 or 0.5")
    return float(text)


def _seconds(text: str) -> float:
    return parse_duration(text).total_seconds()


def _percent(text: str) -> float:
    if not text.endswith("%"):
        raise ValueError(f"{text!r} is not a percentage; write for example 20%")
    return parse_number(text.removesuffix("%").rstrip()) / 100


def _per_second(text: str) -> float:
    return parse_size(text.removesuffix("/s"))


BYTES = Unit(parse_size, format_size, "slow 64MB, stop 256MB")
BYTES_PER_SECOND = Unit(_per_second, lambda rate: f"{format_size(rate)}/s", "slow 50MB/s, stop 200MB/s")
SECONDS = Unit(_seconds, lambda value: format_duration(timedelta(seconds=value)), "slow 50ms, stop 500ms")
PERCENT = Unit(_percent, lambda value: f"{100 * value:.0f}%", "slow 20%, stop 50%")
NUMBER = Unit(parse_number, lambda value: f"{value:,.0f}" if value >= 100 else f"{value:g}", "slow 10, stop 50")


def parse_limits(text: str, unit: Unit) -> Limits:
    """
    The limits that ``slow 64MB, stop 256MB`` means; either half may be missing.

    Raises:
        ValueError: no such text, a half given twice, or a stop below the slow.
    """
    found: dict[str, float] = {}
    for piece in text.split(","):
        match = _LIMIT.fullmatch(piece.strip())
        if not match or match[1] in found:
            raise ValueError(f"{text!r} are no limits; write for example {unit.example}, or off")
        found[match[1]] = unit.parse(match[2])
    limits = Limits(**found)
    if limits.slow is not None and limits.stop is not None and limits.stop < limits.slow:
        raise ValueError(f"{text!r} stops before it slows down")
    return limits


def said_against(value: float, limits: Limits, unit: Unit) -> str:
    """A value with the limits it is measured by, such as ``612 MB (slow from 64 MB, stop from 256 MB)``."""
    known = (("slow", limits.slow), ("stop", limits.stop))
    said = [f"{word} from {unit.say(limit)}" for word, limit in known if limit is not None]
    return f"{unit.say(value)} ({', '.join(said)})"
