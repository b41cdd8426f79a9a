"""What the ledger knows of backfills, as values: where each is, what it walks along, its ranges and its workers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from expandcontract.database.catalog import Key

KeyValue = tuple[str, ...]

# A row that nobody updates keeps its ctid; one that is updated gets a new one, anywhere. Whoever updates it either
# writes the new shape, by the Sync or by the writers' code, or leaves it to be found by the backfill's own predicate
# when the pass is over, in one snapshot of the whole stretch. So a missed row is noticed, and the next pass fills it.
CTID = Key(("ctid",), ("tid",))


class BackfillState(StrEnum):
    """What a backfill is told to do."""

    RUNNING = "running"  # workers may take ranges
    PAUSED = "paused"  # workers wait
    CANCELLED = "cancelled"  # workers end; the next run begins at the first row
    FAILED = "failed"  # workers end; the next run goes on
    COMPLETE = "complete"  # every range is done, and no row is left


@dataclass(frozen=True)
class Position:
    """
    How far a backfill is: what its ranges add up to in this pass (``rows_written`` and ``set_aside``: in all passes).

    ``rate`` is rows per second over all workers, None for flat out; ``reason`` says why it is in its state.
    ``number_of_pass`` counts the passes that write; with `verifies` this one looks at what the last of them left.
    """

    revision: str
    relation: str
    state: BackfillState
    reason: str | None
    rate: int | None
    number_of_pass: int
    verifies: bool
    estimated_rows: int
    started_at: datetime
    ranges: int
    rows_seen: int
    rows_written: int
    set_aside: int
    health: Health | None = None


@dataclass(frozen=True)
class Health:
    """
    What the health signals leave of a backfill's speed, read a moment ago.

    ``share`` is that of its rate, ``is_stopped`` whether no range may begin; ``reason`` says why it isn't the whole.
    """

    share: float
    is_stopped: bool
    reason: str | None


@dataclass(frozen=True)
class Growth:
    """The size of a table and of its indexes in bytes, with all partitions: when its backfill began, and now."""

    heap_before: int
    indexes_before: int
    heap: int
    indexes: int


@dataclass(frozen=True)
class Orders:
    """
    What a worker finds when it asks for a range, and holds locked until its transaction ends.

    ``health`` None: nobody has looked at the signals lately.
    """

    state: BackfillState
    reason: str | None
    rate: int | None
    number_of_pass: int
    verifies: bool
    verifier: int | None
    health: Health | None


@dataclass(frozen=True)
class Stretch:
    """
    A table, or one of its partitions, that a pass walks along by a key, from its first row to ``last_key``.

    The end is fixed when the pass begins: what comes later is kept right by the Sync or the writers. Key values are
    their text, in key order. ``last_key`` None: there was no row. A span of rows is written in ``turns`` turns.
    """

    number: int
    schema: str
    relation: str
    key: Key
    last_key: KeyValue | None
    upper_key: KeyValue | None = None
    turns: int = 1

    @property
    def can_be_verified_in_ranges(self) -> bool:
        """Not without a key: a row could move from a range that is still to be looked at to one that has been."""
        return self.key != CTID


@dataclass(frozen=True)
class Range:
    """
    The rows of a stretch above ``lower`` (None: from the first) up to ``upper``, leased to a worker.

    Where the stretch has several turns, the range has the rows of one ``turn``; those of later turns are ``rows_left``.
    """

    id: int
    stretch: int
    lower: KeyValue | None
    upper: KeyValue
    rows: int
    attempts: int
    turn: int = 0
    rows_left: int = 0


@dataclass(frozen=True)
class Worker:
    """A session that moves rows: its number, which is the fencing token of its ranges, and where it runs."""

    number: int
    revision: str
    host: str
    pid: int
    backend: int
    started_at: datetime


@dataclass(frozen=True)
class Slice:
    """What was done in a slice of time: its number from 0, rows, ranges, and the seconds that a range took."""

    number: int
    rows: int
    ranges: int
    median_seconds: float
    longest_seconds: float


@dataclass(frozen=True)
class SetAside:
    """A row that can't be filled: its table, its key and the key's values, and the server's words."""

    schema: str
    relation: str
    key: Key
    values: KeyValue
    error: str
    sqlstate: str
    at: datetime

    def is_of(self, stretch: Stretch) -> bool:
        """Whether it is a row of the stretch's table."""
        return (self.schema, self.relation) == (stretch.schema, stretch.relation)
