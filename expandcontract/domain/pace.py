"""The pace of a backfill: how many rows the next range has, and when it may start."""

from __future__ import annotations

from dataclasses import dataclass, replace

SMALLEST = 50
LARGEST = 50_000


@dataclass(frozen=True)
class Pace:
    """
    A token bucket over rows, and a batch size that aims at a duration.

    Times are seconds of one monotonic clock. ``rate`` is rows per second, None for flat out. ``ready_at`` is when the
    rows that were taken have been paid for: time that passes unused is lost, so a pause is never caught up.
    """

    rate: int | None
    batch: int
    target: float
    smoothed: float | None = None
    ready_at: float = 0.0

    @classmethod
    def start(cls, rate: int | None, now: float, *, target: float = 0.1, batch: int = 1000) -> Pace:
        """A pace that begins at `now`; each range is to take about `target` seconds."""
        return cls(rate=rate, batch=_bounded(batch, rate, target), target=target, ready_at=now)

    def wait(self, now: float) -> float:
        """Seconds until the next range may start."""
        return max(0.0, self.ready_at - now)

    def took(self, rows: int, seconds: float, now: float) -> Pace:
        """The pace after a range of `rows` rows that took `seconds` and ended at `now`."""
        smoothed = seconds if self.smoothed is None else 0.7 * self.smoothed + 0.3 * seconds
        fitting = min(1.5, max(0.5, self.target / max(smoothed, 1e-6)))
        factor = 0.5 if seconds >= 3 * self.target else fitting
        began = now - seconds
        cost = rows / self.rate if self.rate else 0.0
        return replace(
            self,
            batch=_bounded(round(self.batch * factor), self.rate, self.target),
            smoothed=smoothed,
            ready_at=max(self.ready_at, began) + cost,
        )

    def slower(self) -> Pace:
        """The pace after a range ran into a lock time-out or a deadlock: half the rows."""
        return replace(self, batch=_bounded(self.batch // 2, self.rate, self.target))


def _bounded(batch: int, rate: int | None, target: float) -> int:
    """Within the bounds, and at a low rate no more than the rows that `target` seconds are worth."""
    most = LARGEST if rate is None else max(1, min(LARGEST, round(rate * target)))
    return max(min(SMALLEST, most), min(batch, most))
