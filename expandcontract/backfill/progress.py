"""How far a backfill is, for people and for scripts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """
    A backfill just after a range, or while it waits for a reason.

    ``rows`` were visited in this pass, by all workers; ``of_about`` is the planner's estimate of the table. ``rate`` is
    rows per second of this process, ``batch`` the rows of a worker's next range, ``reason`` why nothing moves. With
    `verifies` nothing is written in this pass, and rows that still need it are looked for.
    """

    revision: str
    rows: int
    of_about: int
    rows_written: int
    number_of_pass: int
    rate: float
    batch: int
    reason: str | None = None
    verifies: bool = False

    @property
    def seconds_left(self) -> float | None:
        """An estimate; None while there is nothing to estimate from."""
        if self.rate <= 0 or self.of_about <= 0:
            return None
        return max(0, self.of_about - self.rows) / self.rate
