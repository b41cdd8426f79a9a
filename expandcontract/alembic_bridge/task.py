"""What the runner has to do in one transaction, how long it tries, and what it saw meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from alembic.runtime.migration import MigrationContext, RevisionStep

from expandcontract.alembic_bridge.concurrent_indexes import Repair
from expandcontract.alembic_bridge.revisions import Revision
from expandcontract.database.activity import Stall
from expandcontract.database.ledger import Ledger
from expandcontract.domain.blocker import Blocker
from expandcontract.domain.ladder import Attempt
from expandcontract.domain.step import Step

Readers = Callable[[], tuple[Blocker, ...]]  # who reads elsewhere what the locks of a part will reach


@dataclass(frozen=True)
class Patience:
    """
    How long one wait for a lock may last, and how long all attempts of a part together.

    Once a part has its locks, the application may wait for them as long as ``hold_timeout``. With ``cancels_older`` a
    blocker whose transaction is older than that is ended, once the longest wait was in vain.
    """

    lock_timeout: timedelta
    budget: timedelta
    hold_timeout: timedelta
    cancels_older: timedelta | None = None


@dataclass(frozen=True)
class Blocked:
    """
    An attempt that ran into its lock time-out: what was tried, who was in the way, and the pause before the next.

    ``cancelled`` are the blockers that were ended for it, ``spared`` those that we may not end, or not see.
    """

    step: Step
    part: str
    attempt: Attempt
    blockers: tuple[Blocker, ...]
    pause: float
    cancelled: tuple[Blocker, ...] = ()
    spared: tuple[Blocker, ...] = ()


@dataclass(frozen=True)
class Task:
    """One part, or an undo: what to do in the transaction, and how ``alembic_version`` moves with it."""

    revision: Revision
    step: Step
    part: str
    work: Callable[[MigrationContext, Ledger], None]
    moves_version: Callable[..., RevisionStep] | None
    parts_done: int | None  # before this part; None for an undo
    repair: Repair
    readers: Readers

    @property
    def title(self) -> str:
        """The change's."""
        return self.revision.change.title


@dataclass
class Notes:
    """What was seen during an attempt: who was in its way, in whose way it was, and which transaction it was."""

    blockers: tuple[Blocker, ...] = ()
    stall: Stall | None = None
    transaction: str | None = None  # the last one
