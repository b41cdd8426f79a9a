"""A refusal is a value: which step, why, until when, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from expandcontract.domain.change import Change
from expandcontract.domain.phase import Phase
from expandcontract.domain.step import Step


class Code(StrEnum):
    """Why the gate says no; stable, for scripts."""

    OLD_TREE = "old-tree"  # this tree lacks a revision that has been applied
    EARLIER_EXPAND = "earlier-expand"  # an earlier change isn't expanded yet
    OUT_OF_ORDER = "out-of-order"  # the tree has the changes in another order than that in which they were applied
    DRIFT = "drift"  # the tree, Alembic's version table and the ledger can't all be right
    FOOTPRINT = "footprint"  # it touches what a waiting contract touches
    EDITED = "edited"  # a file whose contract waits means something else than when it ran
    NOT_EXPANDED = "not-expanded"  # the change's own expand isn't done
    NO_WRITER = "no-writer"  # nothing keeps new rows right during the backfill
    NOT_BACKFILLED = "not-backfilled"  # the backfill isn't complete
    ROWS_LEFT = "rows-left"  # the backfill is recorded as complete, but rows need it now
    SET_ASIDE = "rows-set-aside"  # the backfill has met rows that it can't fill
    NO_LIVE_COLOUR = "no-live-colour"  # nobody has recorded which colour has traffic
    TRAFFIC_UNKNOWN = "traffic-unknown"  # the colour sources can't be read, or contradict each other
    CUTOVER = "cutover"  # the traffic has moved, and the ledger didn't know
    COPY = "copy"  # a restored or cloned database, which nobody has adopted
    SPLIT_BRAIN = "split-brain"  # there is another primary of the same system, or this one is an old one that came back
    FAILOVER = "failover"  # a standby has been promoted since the traffic was recorded
    CLOCK = "clock"  # the database's clock went back
    UNWATCHED = "unwatched"  # too little of the rollback window was observed
    SESSION = "session"  # a session of a release that lacks the change is connected
    UNMARKED = "unmarked"  # the database is to be a witness, and no session says that it is of a live release
    ALERT = "alert"  # an alert source objects, or can't be asked
    DECLARED = "declared"  # the models of a release that may get requests declare what the contract removes
    REFERRED_TO = "referred-to"  # something still refers to what the contract removes
    UNPROVEN = "unproven"  # whether anything refers to it can't be known
    NO_TOMBSTONE = "no-tombstone"  # what the contract drops hasn't been taken from the application first
    SOAKING = "soaking"  # the tombstone hasn't stood long enough
    UNSTOPPABLE = "unstoppable"  # no privilege keeps the application from what a tombstone should take
    TOMBSTONE = "tombstone"  # a tombstone keeps the release from what it needs
    NOT_APPROVED = "not-approved"  # nobody has approved the contract as it is now
    LIVE_LACKS = "live-lacks"  # a live release lacks the change
    WINDOW_OPEN = "window-open"  # a release that lacks the change could still get its traffic back
    DRAINS = "drains"  # a release that lacks the change has lost its traffic and is still sent requests
    STUCK = "stuck"  # a step has failed, or has begun and isn't finished, so this is no time to move traffic
    CONTRACTED = "contracted"  # the schema has lost what this release needs
    LIVE_SHIPS = "live-ships"  # a live release needs what would be undone
    LATER_APPLIED = "later-applied"  # a later change stands on the one to be undone
    GIVES_UP = "gives-up"  # undoing gives up a release to go back to, which nobody has named


@dataclass(frozen=True)
class Refusal:
    """A no: which step, because of which fact, when it may work, and the exact next command."""

    step: Step
    title: str
    code: Code
    because: str
    next: str
    until: datetime | None = None

    @property
    def window_open(self) -> bool:
        """Whether an open rollback window is the reason."""
        return self.code is Code.WINDOW_OPEN


def refuse(
    change: Change,
    phase: Phase,
    code: Code,
    *,
    because: str,
    next: str,  # noqa: A002 - as the field is called
    until: datetime | None = None,
) -> Refusal:
    """The refusal of that phase of the change."""
    return Refusal(Step(change.revision, phase), change.title, code, because, next, until)


def names(words: Sequence[str]) -> str:
    """The words as a sentence lists them."""
    return ", ".join(words)
