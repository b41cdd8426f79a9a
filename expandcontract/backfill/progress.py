"""How far a backfill is and how fast it gets on, for people and for scripts."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

_WINDOW = 10.0  # seconds: over a shorter time a rate jumps about, over a longer one it hides a pause


@dataclass(frozen=True)
class Progress:
    """
    A backfill just after a range, or while it waits for a reason.

    ``rows`` were visited in this pass, by all workers; ``of_about`` is an estimate of the table's. ``rate`` is rows per
    second of all workers over the last ten seconds, ``batch`` the rows of a worker's next range. ``share`` is what the
    health signals leave of the speed, and ``reason`` says why it is less than 1, or why nothing moves; ``is_waiting``
    tells the two apart. With `verifies` nothing is written in this pass, and rows that still need it are looked for.
    """

    revision: str
    rows: int
    of_about: int
    rows_written: int
    number_of_pass: int
    rate: float
    batch: int
    reason: str | None = None
    share: float = 1.0
    is_waiting: bool = False
    verifies: bool = False

    @property
    def seconds_left(self) -> float | None:
        """An estimate; None while there is nothing to estimate from, and once there are more rows than estimated."""
        left = self.of_about - self.rows
        return left / self.rate if self.rate > 0 and left > 0 else None


class Speed:
    """
    How fast rows are done, lately.

    Args:
        now: in seconds of a clock that never goes back.
        rows: how many are done already.
    """

    def __init__(self, now: float, rows: int) -> None:
        self._seen = deque([(now, rows)])

    def at(self, now: float, rows: int) -> float:
        """Rows per second over the last ten seconds, when at `now` so many are done; 0 after a new pass begins."""
        if rows < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now, rows))
        while len(self._seen) > 2 and self._seen[1][0] <= now - _WINDOW:
            self._seen.popleft()
        (began, before), (ended, after) = self._seen[0], self._seen[-1]
        return (after - before) / (ended - began) if ended > began else 0.0
