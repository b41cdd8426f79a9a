"""The pace of a backfill: how many rows a worker's next range has, and when the workers together may start it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

SMALLEST = 50
LARGEST = 50_000
READS_PER_WRITE = 10  # rows that are only looked at cost about a tenth of those that are written
LATENESS = 0.5  # seconds: a hiccup shorter than this is made up for, so that the rate holds; a longer pause never is
_CATCHING_UP = 0.8  # of the usual distance between two ranges, while a hiccup is made up for


@dataclass(frozen=True)
class Pace:
    """
    A worker's batch size, which aims at a duration.

    ``target`` and ``smoothed`` are seconds that a range takes. ``rate`` is rows per second, None for flat out.
    """

    rate: int | None
    batch: int
    target: float
    smoothed: float | None = None

    @classmethod
    def start(cls, rate: int | None, *, target: float = 0.1, batch: int = 1000) -> Pace:
        """A pace at which each range is to take about `target` seconds."""
        return cls(rate=rate, batch=_bounded(batch, rate, target), target=target)

    def at_rate(self, rate: int | None) -> Pace:
        """The pace after somebody has set another rate."""
        return self if rate == self.rate else replace(self, rate=rate, batch=_bounded(self.batch, rate, self.target))

    def took(self, rows: int, seconds: float) -> Pace:
        """The pace after a range of `rows` rows that took `seconds`; one much smaller than the batch tells nothing."""
        if 2 * rows < self.batch and seconds < self.target:
            return self
        smoothed = seconds if self.smoothed is None else 0.7 * self.smoothed + 0.3 * seconds
        fitting = min(1.5, max(0.5, self.target / max(smoothed, 1e-6)))
        factor = 0.5 if seconds >= 3 * self.target else fitting
        return replace(self, batch=_bounded(round(self.batch * factor), self.rate, self.target), smoothed=smoothed)

    def slower(self) -> Pace:
        """The pace after a range ran into a lock time-out or a deadlock: half the rows."""
        return replace(self, batch=_bounded(self.batch // 2, self.rate, self.target))


def _bounded(batch: int, rate: int | None, target: float) -> int:
    """Within the bounds, and at a low rate no more than the rows that `target` seconds are worth."""
    most = LARGEST if rate is None else max(1, min(LARGEST, round(rate * target)))
    return max(min(SMALLEST, most), min(batch, most))


@dataclass(frozen=True)
class Bucket:
    """
    The rate that all workers of a backfill share: rows are paid for when they are given out, before they start.

    So a worker that comes early is told when to start, and how exactly it sleeps has no effect on the rate. Times are
    seconds of one clock, the database's.

    Attributes:
        paid_until: when the rows given out so far are paid for.
        not_before: when the next range may start at the earliest, even while a hiccup is made up for.
    """

    paid_until: float = 0.0
    not_before: float = 0.0

    def give(self, rows: int, rate: int | None, now: float) -> tuple[float, Bucket]:
        """When a range of `rows` rows may start, at `rate` rows per second (None: now), and the bucket afterwards."""
        if rate is None:
            return now, Bucket(now, now)
        cost = rows / rate
        due = self.paid_until if now - self.paid_until <= LATENESS else now
        start = max(due, now, self.not_before)
        return start, Bucket(due + cost, start + _CATCHING_UP * cost)


def another_pass_helps(written_by_pass: Sequence[int]) -> bool:
    """
    Whether to walk along the table once more, after passes that wrote so many rows and left some.

    A later pass has only the rows that moved while the one before it ran. Where it writes about as many again,
    what it sets doesn't make its condition false, or somebody writes wrong rows as fast as they are filled.
    """
    if not written_by_pass or written_by_pass[-1] == 0:
        return len(written_by_pass) < 2
    return len(written_by_pass) < 3 or 2 * written_by_pass[-1] < written_by_pass[-2]
