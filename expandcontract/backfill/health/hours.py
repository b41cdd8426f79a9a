"""When a backfill may run at all: windows of the day, by the database's clock in a time zone of the user's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from expandcontract.backfill.health.signal import Kind, Scene
from expandcontract.database.health import clock
from expandcontract.domain.throttle import Level, Verdict

NAME = "hours"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = "|".join(_DAYS)
_CLOCK = "([01]?[0-9]|2[0-3]):([0-5][0-9])"
_WINDOW = re.compile(rf"(?:({_DAY})(?:-({_DAY}))? )?{_CLOCK}-(?:{_CLOCK}|(24:00))")
_EXAMPLE = "mon-fri 22:00-06:00, sat-sun 00:00-24:00"


@dataclass(frozen=True)
class Window:
    """From one time of day to another, perhaps of the next day, beginning on some days of the week (Monday is 0)."""

    days: frozenset[int]
    begins: time
    minutes: int

    def contains(self, moment: datetime) -> bool:
        """Whether the moment, in the window's time zone, is in it."""
        minute = moment.hour * 60 + moment.minute - self.begins.hour * 60 - self.begins.minute
        today = moment.weekday() in self.days and 0 <= minute < self.minutes
        return today or ((moment.weekday() - 1) % 7 in self.days and minute + 24 * 60 < self.minutes)


@dataclass(frozen=True)
class Hours:
    """Looks at the database's clock."""

    windows: tuple[Window, ...]
    zone: tzinfo
    text: str
    name: str = NAME

    def look(self, scene: Scene) -> Sequence[Verdict]:
        """See `Signal.look`."""
        return [judge(clock(scene.connection), self)]


def judge(now: datetime, hours: Hours) -> Verdict:
    """The verdict on a moment: calm in a window, else over, with the time at which the next one opens."""
    local = now.astimezone(hours.zone)
    if any(window.contains(local) for window in hours.windows):
        return Verdict(NAME, Level.CALM, f"within {hours.text}")
    opens = _next_opening(local, hours.windows)
    return Verdict(NAME, Level.OVER, f"it runs only {hours.text}; next from {opens:%a %H:%M %Z}")


def _next_opening(local: datetime, windows: Sequence[Window]) -> datetime:
    begins = [
        day.replace(hour=window.begins.hour, minute=window.begins.minute, second=0, microsecond=0)
        for window in windows
        for day in (local + timedelta(days=ahead) for ahead in range(8))
        if day.weekday() in window.days
    ]
    return min(moment for moment in begins if moment > local)


def parse_hours(text: str) -> Hours:
    """
    The hours that ``mon-fri 22:00-06:00, sat-sun 00:00-24:00 Europe/Berlin`` means; without a zone, in UTC.

    Raises:
        ValueError: it can't be read.
    """
    plain, zone = text.strip(), UTC
    head, _, last = plain.rpartition(" ")
    if head and not _WINDOW.fullmatch(last):
        try:
            plain, zone = head, ZoneInfo(last)  # type: ignore[assignment]
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{last!r} is neither hours nor a time zone; write for example {_EXAMPLE}") from None
    windows = tuple(_window(piece.strip()) for piece in plain.split(","))
    return Hours(windows, zone, text.strip() if zone is not UTC else f"{plain} UTC")


def _window(text: str) -> Window:
    found = _WINDOW.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} are no hours; write for example {_EXAMPLE}")
    first, last, hour, minute, to_hour, to_minute, midnight = found.groups()
    begins = time(int(hour), int(minute))
    ends = 24 * 60 if midnight else int(to_hour) * 60 + int(to_minute)
    minutes = ends - begins.hour * 60 - begins.minute
    return Window(_days(first, last or first), begins, minutes if minutes > 0 else minutes + 24 * 60)


def _days(first: str | None, last: str | None) -> frozenset[int]:
    if first is None or last is None:
        return frozenset(range(7))
    begins, ends = _DAYS.index(first), _DAYS.index(last)
    return frozenset((begins + step) % 7 for step in range((ends - begins) % 7 + 1))


KIND = Kind(
    NAME,
    "the time of day, and of the week, by the database's clock; UTC without a time zone",
    "off",
    f"{_EXAMPLE} Europe/Berlin",
    parse_hours,
)
