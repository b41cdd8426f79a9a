"""How well a time was watched: a runner that never looked proves nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_NONE = timedelta(0)


@dataclass(frozen=True)
class Stretch:
    """A time in which one look at the traffic followed the other closely, and each saw it or none did."""

    began: datetime
    ended: datetime
    is_known: bool = True


def continues(last: Stretch | None, at: datetime, *, is_known: bool, gap: timedelta) -> bool:
    """Whether a look belongs to the last stretch: it came out alike, within the gap, on a clock that didn't go back."""
    return last is not None and last.is_known == is_known and _NONE <= at - last.ended <= gap


@dataclass(frozen=True)
class Watching:
    """
    How the traffic was watched.

    Attributes:
        stretches: those that saw it, in their order; no two have a moment in common.
        needed: the share of a window, 0 to 1, that must be within them.
    """

    stretches: tuple[Stretch, ...]
    needed: float

    def share(self, begin: datetime, end: datetime) -> float:
        """The share of that time that was watched; all of it where there is none."""
        length = end - begin
        unwatched = sum((stop - start for start, stop in self.gaps(begin, end)), _NONE)
        return 1.0 if length <= _NONE else 1 - unwatched / length

    def gaps(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The parts of that time that nobody watched, in their order."""
        seen = begin
        for stretch in self.stretches:
            if stretch.ended <= seen or stretch.began >= end:
                continue
            if stretch.began > seen:
                yield seen, stretch.began
            seen = max(seen, stretch.ended)
        if seen < end:
            yield seen, end

    def enough_at(self, length: timedelta, now: datetime) -> datetime:
        """When a window of that length will be watched enough, provided that nobody stops watching from now on."""
        allowed = length * (1 - self.needed)
        for start, stop in reversed(list(self.gaps(now - length, now))):
            if stop - start > allowed:
                return stop - allowed + length
            allowed -= stop - start
        return now


def longest(gaps: Sequence[tuple[datetime, datetime]]) -> tuple[datetime, datetime]:
    """The longest of these."""
    return max(gaps, key=lambda gap: gap[1] - gap[0])
