"""The ledger's part for backfills: what is to be walked along, who has which range, and at what rate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from expandcontract.database.catalog import Key
from expandcontract.database.executor import Executor
from expandcontract.database.queries import queries
from expandcontract.domain.pace import Bucket

KeyValue = tuple[str, ...]

# A row that nobody updates keeps its ctid; one that is updated gets a new one, anywhere. Whoever updates it either
# writes the new shape, by the Sync or by the writers' code, or leaves it to be found by the backfill's own predicate
# when the pass is over, in one snapshot of the whole stretch. So a missed row is noticed, and the next pass fills it.
CTID = Key(("ctid",), ("tid",))

# Advisory locks belong to a database; these namespaces are "ec" in ASCII and what follows the runner's.
_WORKERS = 0x6564
_JOINING = 0x6565
_AT_THE_CEILING = "replication_lag: so much WAL since the last look that a standby may be behind by its limit"

_SETTLES = 1.0  # seconds that a turn waits at most for older transactions to end, before it makes do with less room


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


class BackfillLedger:
    """Reads and writes what is known of backfills, in whatever transaction the executor has."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def _rows(self, query: str, /, **parameters: object) -> list[tuple[Any, ...]]:
        return self._executor.rows(queries("backfill")[query], parameters)

    # what everybody may ask

    def positions(self) -> dict[str, Position]:
        """Every backfill that has begun, by revision."""
        return {row[0]: _position(row) for row in self._rows("backfills", revision=None)}

    def position(self, revision: str) -> Position | None:
        """Where that backfill is; None where it hasn't begun."""
        rows = self._rows("backfills", revision=revision)
        return _position(rows[0]) if rows else None

    def growth(self, revision: str) -> Growth | None:
        """The size of the backfill's table, before and now; None where there is no such table any more."""
        rows = self._rows("growth", revision=revision)
        return Growth(*rows[0]) if rows else None

    def set_aside(self) -> dict[str, int]:
        """How many rows each backfill has set aside; those without any are missing."""
        return dict(self._rows("set_aside_by_backfill"))

    def failures(self, revision: str) -> list[SetAside]:
        """The rows set aside, in the order in which they were."""
        return [
            SetAside(schema, relation, Key(tuple(columns), tuple(types)), tuple(values), *rest)
            for schema, relation, columns, types, values, *rest in self._rows("failures", revision=revision)
        ]

    def workers(self, revision: str, root: int = 0) -> list[Worker]:
        """The workers alive that move rows for that backfill, or of the table `root`."""
        rows = self._rows("workers", revision=revision, root=root, namespace=_WORKERS)
        return [Worker(*row) for row in rows]

    def bury(self) -> None:
        """Forget the workers whose session has ended."""
        self._rows("bury", namespace=_WORKERS)

    def root(self, table: str) -> int | None:
        """The oid of the table, or of the partitioned table it belongs to; None where there is no such table."""
        rows = self._rows("root", table=table)
        return int(rows[0][0]) if rows else None

    # control

    def lock(self, revision: str) -> Orders | None:
        """Be the one who takes a range, changes the state or begins a pass; None where the backfill is forgotten."""
        rows = self._rows("lock_backfill", revision=revision)
        if not rows:
            return None
        state, reason, rate, number, verifies, verifier, *seen, is_at_ceiling = rows[0]
        health = _health(*seen)
        if health is not None and is_at_ceiling and not health.is_stopped:
            health = replace(health, is_stopped=True, reason=_AT_THE_CEILING)
        return Orders(BackfillState(state), reason, rate, number, verifies, verifier, health)

    def put_state(self, revision: str, state: BackfillState, reason: str | None = None) -> None:
        """Tell every worker what to do, from its next range on."""
        self._rows("put_state", revision=revision, state=str(state), reason=reason)

    def put_rate(self, revision: str, rate: int | None) -> None:
        """Rows per second over all workers, from the next range on; None for flat out."""
        self._rows("put_rate", revision=revision, rate=rate)

    def retry(self, revision: str) -> int:
        """Let the rows set aside be tried again, by the pass that set them aside; how many they are."""
        self._rows("back_to_filling", revision=revision)
        return len(self._rows("retry", revision=revision))

    def forgive(self, revision: str) -> None:
        """Forget how often open ranges were tried in vain, for a run that begins."""
        self._rows("forgive", revision=revision)

    # passes

    def lock_joining(self, root: int) -> None:
        """Until the transaction ends nobody else joins or begins a backfill of that table."""
        self._rows("lock_joining", namespace=_JOINING, root=root)

    def keep_from_joining(self, root: int) -> None:
        """`lock_joining` until the connection closes."""
        self._rows("keep_from_joining", namespace=_JOINING, root=root)

    def begin(self, revision: str, relation: str, root: int, *, rate: int | None, estimated_rows: int) -> None:
        """Record a backfill that begins, or begins again at the first row, and the size of its table."""
        facts = {"relation": relation, "root": root, "rate": rate, "estimated_rows": estimated_rows}
        self._rows("drop_stretches", revision=revision)
        self._rows("drop_throttles", revision=revision)
        self._rows("put_backfill", revision=revision, **facts)

    def begin_pass(
        self, revision: str, number: int, stretches: Iterable[Stretch], *, verifies: bool, estimated_rows: int
    ) -> None:
        """Record the next pass; one that writes comes to the rows set aside by itself."""
        if not verifies:
            self._rows("drop_failures", revision=revision)
        facts = {"pass": number, "verifies": verifies, "estimated_rows": estimated_rows}
        self._rows("put_pass", revision=revision, **facts)
        self.put_stretches(revision, number, stretches, verifies=verifies)

    def put_stretches(
        self, revision: str, number_of_pass: int, stretches: Iterable[Stretch], *, verifies: bool = False
    ) -> None:
        """Record what a pass walks along."""
        for stretch in stretches:
            facts = {
                "pass": number_of_pass,
                "number": stretch.number,
                "schema": stretch.schema,
                "relation": stretch.relation,
                "key_columns": list(stretch.key.columns),
                "key_types": list(stretch.key.types),
                "last_key": _list(stretch.last_key),
                "verifies": verifies,
                "turns": 1 if verifies else stretch.turns,
            }
            self._rows("put_stretch", revision=revision, **facts)

    def stretches(self, revision: str, number_of_pass: int) -> dict[int, Stretch]:
        """What the pass walks along, by number."""
        rows = self._rows("stretches", revision=revision, **{"pass": number_of_pass})
        return {row[0]: _stretch(row) for row in rows}

    def last_done(self, revision: str) -> datetime | None:
        """When a range was done last; None where none was."""
        moment: datetime | None = self._rows("last_done", revision=revision)[0][0]
        return moment

    def slices(self, revision: str, *, since: datetime, width: float) -> list[Slice]:
        """What was done in each slice of `width` seconds since then; slices in which nothing was are missing."""
        return [Slice(*row) for row in self._rows("slices", revision=revision, since=since, width=width)]

    def written_by_pass(self, revision: str) -> list[int]:
        """How many rows each pass that writes wrote, the first one first."""
        return [int(written) for _, written in self._rows("written_by_pass", revision=revision)]

    def found(self, revision: str, number_of_pass: int) -> int:
        """How many rows a verifying pass found that need the backfill, those set aside not counted."""
        return int(self._rows("found", revision=revision, **{"pass": number_of_pass})[0][0])

    def verified_from(self) -> dict[str, datetime]:
        """From when on what each backfill's last verifying pass found holds; those without one are missing."""
        return dict(self._rows("verified_from"))

    # workers and their ranges

    def put_worker(self, revision: str, root: int, *, host: str, pid: int) -> int:
        """Record this session as a worker; its number is its own until the session ends, and never comes again."""
        facts = {"revision": revision, "root": root, "host": host, "pid": pid, "namespace": _WORKERS}
        return int(self._rows("put_worker", **facts)[0][0])

    def drop_worker(self, worker: int) -> None:
        """Forget a worker that ends by itself."""
        self._rows("drop_worker", worker=worker)

    def take_free(self, revision: str, number_of_pass: int, worker: int, *, lease: float) -> Range | None:
        """Lease, for `lease` seconds, the first range that nobody has; None where there is none."""
        rows = self._rows("take_free", revision=revision, worker=worker, lease=lease, **{"pass": number_of_pass})
        return _range(rows[0]) if rows else None

    def free_orphans(self, revision: str, number_of_pass: int) -> int:
        """Make the ranges of workers whose session has ended free; how many there were."""
        return len(self._rows("free_orphans", revision=revision, namespace=_WORKERS, **{"pass": number_of_pass}))

    def lives(self, worker: int) -> bool:
        """Whether the session of that worker hasn't ended."""
        return bool(self._rows("verifier_lives", worker=worker, namespace=_WORKERS)[0][0])

    def next_stretch(self, revision: str, number_of_pass: int) -> Stretch | None:
        """The first stretch of which ranges are still to be handed out; the backfill must be locked."""
        rows = self._rows("next_stretch", revision=revision, **{"pass": number_of_pass})
        return _stretch(rows[0]) if rows else None

    def hand_out(
        self,
        revision: str,
        number_of_pass: int,
        stretch: Stretch,
        upper: KeyValue,
        *,
        rows: int,
        worker: int,
        lease: float,
    ) -> Range:
        """Lease the next range of the stretch, up to `upper`, with the `rows` rows of all turns; see `lock`."""
        where = {"revision": revision, "pass": number_of_pass, "stretch": stretch.number}
        self._rows("hand_out", upper_key=list(upper), **where)
        first = rows // stretch.turns
        range_ = Range(0, stretch.number, stretch.upper_key, upper, first, 1, 0, rows - first)
        return self._put_range(where, range_, worker=worker, lease=lease)

    def close_stretch(self, revision: str, number_of_pass: int, stretch: int) -> None:
        """A partition was dropped: nothing of it is left to do."""
        self._rows("close_stretch", revision=revision, stretch=stretch, **{"pass": number_of_pass})

    def open_ranges(self, revision: str, number_of_pass: int) -> int:
        """How many ranges are leased or free."""
        return int(self._rows("open_ranges", revision=revision, **{"pass": number_of_pass})[0][0])

    def put_verifier(self, revision: str, worker: int | None) -> None:
        """Record who decides how to go on after the pass; the backfill must be locked."""
        self._rows("put_verifier", revision=revision, worker=worker)

    def bucket(self, revision: str) -> tuple[Bucket, float]:
        """What the shared rate has given out, and the database's clock in seconds; the backfill must be locked."""
        paid_until, not_before, now = self._rows("bucket", revision=revision)[0]
        return Bucket(paid_until, not_before), now

    def put_bucket(self, revision: str, bucket: Bucket) -> None:
        """Record what the shared rate has given out."""
        self._rows("put_bucket", revision=revision, paid_until=bucket.paid_until, not_before=bucket.not_before)

    def lease_more(self, range_: Range, worker: int, *, lease: float) -> None:
        """The lease ends `lease` seconds from now."""
        self._rows("lease_more", id=range_.id, worker=worker, lease=lease)

    def hold(self, range_: Range, worker: int) -> bool:
        """Keep the range from being taken over until the transaction ends; False where it has been."""
        return bool(self._rows("hold_range", id=range_.id, worker=worker))

    def finish(
        self,
        range_: Range,
        worker: int,
        *,
        written: int = 0,
        seen: int | None = None,
        found: int | None = None,
        seconds: float,
    ) -> bool:
        """
        Record a range in the transaction that wrote its rows, or that looked how many of those `seen` need it.

        False where somebody has taken it over.
        """
        facts = {"written": written, "seen": seen, "found": found, "seconds": seconds}
        return bool(self._rows("finish_range", id=range_.id, worker=worker, **facts))

    def free(self, range_: Range, worker: int, *, after: float = 0.0) -> None:
        """Give the range back; it may be taken again after so many seconds."""
        self._rows("free_range", id=range_.id, worker=worker, after=after)

    def split(
        self, revision: str, number_of_pass: int, range_: Range, middle: KeyValue, *, rows: int, after: float = 0.0
    ) -> None:
        """End the range at `middle`, after `rows` rows; the rest becomes a free range. It must be held."""
        left = range_.rows_left * rows // max(1, range_.rows)
        self._rows("shrink_range", id=range_.id, upper_key=list(middle), rows=rows, rows_left=left)
        where = {"revision": revision, "pass": number_of_pass, "stretch": range_.stretch}
        rest = replace(range_, lower=middle, rows=range_.rows - rows, rows_left=range_.rows_left - left)
        self._put_range(where, rest, worker=None, lease=after)

    def put_aside(self, range_: Range, *, error: str, sqlstate: str) -> None:
        """The one row of the range can't be filled. It must be held."""
        self._rows("set_aside", id=range_.id, error=error, sqlstate=sqlstate)

    def follow(self, range_: Range) -> None:
        """Let the next turn over the same span be a range, once, in the transaction that ends this one."""
        self._rows("follow", id=range_.id, patience=_SETTLES)

    def _put_range(self, where: dict[str, Any], range_: Range, *, worker: int | None, lease: float) -> Range:
        facts = {
            "lower_key": _list(range_.lower),
            "upper_key": list(range_.upper),
            "turn": range_.turn,
            "rows": range_.rows,
            "rows_left": range_.rows_left,
            "attempts": range_.attempts,
        }
        id_ = self._rows("put_range", worker=worker, lease=lease, **where, **facts)[0][0]
        return replace(range_, id=id_)


def _position(row: tuple[Any, ...]) -> Position:
    revision, relation, state, *rest, share, is_stopped, why = row
    position = Position(revision, relation, BackfillState(state), *rest)
    return replace(position, health=_health(share, is_stopped, why))


def _health(share: float | None, is_stopped: bool | None, reason: str | None) -> Health | None:
    return None if share is None else Health(share, bool(is_stopped), reason)


def _stretch(row: tuple[Any, ...]) -> Stretch:
    number, schema, relation, columns, types, last, upper, turns = row
    return Stretch(number, schema, relation, Key(tuple(columns), tuple(types)), _key(last), _key(upper), turns)


def _range(row: tuple[Any, ...]) -> Range:
    id_, stretch, lower, upper, *rest = row
    return Range(id_, stretch, _key(lower), tuple(upper), *rest)


def _key(value: Sequence[str] | None) -> KeyValue | None:
    return None if value is None else tuple(value)


def _list(value: KeyValue | None) -> list[str] | None:
    return None if value is None else list(value)
