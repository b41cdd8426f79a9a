"""Where a run of a backfill is to end, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Outcome(StrEnum):
    """How a run of the engine ended."""

    COMPLETE = "complete"  # every range is done and the predicate finds nothing
    INTERRUPTED = "interrupted"  # asked to stop; the last ranges are committed
    BOUND_REACHED = "bound-reached"  # as many rows or as long as this run was to go
    CANCELLED = "cancelled"  # somebody cancelled the backfill
    FAILED = "failed"  # rows are left, and going on is no use


@dataclass(frozen=True)
class Bounds:
    """
    Where a run ends before its backfill does: after so many rows, or at a moment. None: nowhere.

    ``deadline`` is a time of `time.monotonic`.
    """

    rows: int | None = None
    deadline: float | None = None

    def after(self, rows: int) -> Bounds:
        """What is left of the bounds after so many rows."""
        return self if self.rows is None else replace(self, rows=max(0, self.rows - rows))


NO_BOUNDS = Bounds()


@dataclass(frozen=True)
class Ended:
    """How a run ended, and why where it didn't complete the backfill."""

    outcome: Outcome
    reason: str | None = None
