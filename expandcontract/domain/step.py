"""A step is one phase of one change; its state is what the ledger knows about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from expandcontract.domain.phase import Phase


@dataclass(frozen=True, order=True)
class Step:
    """The identity of a step: the revision id and the phase, never a position in the history."""

    revision: str
    phase: Phase

    def __str__(self) -> str:
        return f"{self.phase} {self.revision}"


class StepState(StrEnum):
    """How far a step has come."""

    PENDING = "pending"  # nothing of it has been committed; an error before the first commit leaves it so
    STARTED = "started"  # a part or a range has been committed, others wait
    FAILED = "failed"  # a later part ran into an error; what was committed before stays
    DONE = "done"  # every part or range is committed
    STALE = "stale"  # a backfill that was done, before traffic went to code that doesn't keep its rows right
