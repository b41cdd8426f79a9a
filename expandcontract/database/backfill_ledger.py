"""The ledger's part for backfills: what each is told to do, what it walks along, and how far it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from expandcontract.database.backfill_records import (
    BackfillState,
    Growth,
    Health,
    KeyValue,
    Orders,
    Position,
    SetAside,
    Slice,
    Stretch,
    Worker,
)
from expandcontract.database.catalog import Key
from expandcontract.database.executor import Executor
from expandcontract.database.queries import queries
from expandcontract.database.range_ledger import WORKERS

_JOINING = 0x6565  # the namespace of its advisory locks: "ec" in ASCII, and what follows the workers'
_AT_THE_CEILING = "replication_lag: so much WAL since the last look that a standby may be behind by its limit"


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
        rows = self._rows("workers", revision=revision, root=root, namespace=WORKERS)
        return [Worker(*row) for row in rows]

    def bury(self) -> None:
        """Forget the workers whose session has ended."""
        self._rows("bury", namespace=WORKERS)

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

    def open_ranges(self, revision: str, number_of_pass: int) -> int:
        """How many ranges are leased or free."""
        return int(self._rows("open_ranges", revision=revision, **{"pass": number_of_pass})[0][0])

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

    def next_stretch(self, revision: str, number_of_pass: int) -> Stretch | None:
        """The first stretch of which ranges are still to be handed out; the backfill must be locked."""
        rows = self._rows("next_stretch", revision=revision, **{"pass": number_of_pass})
        return _stretch(rows[0]) if rows else None


def _position(row: tuple[Any, ...]) -> Position:
    revision, relation, state, *rest, share, is_stopped, why = row
    position = Position(revision, relation, BackfillState(state), *rest)
    return replace(position, health=_health(share, is_stopped, why))


def _health(share: float | None, is_stopped: bool | None, reason: str | None) -> Health | None:
    return None if share is None else Health(share, bool(is_stopped), reason)


def _stretch(row: tuple[Any, ...]) -> Stretch:
    number, schema, relation, columns, types, last, upper, turns = row
    return Stretch(number, schema, relation, Key(tuple(columns), tuple(types)), _key(last), _key(upper), turns)


def _key(value: Sequence[str] | None) -> KeyValue | None:
    return None if value is None else tuple(value)


def _list(value: KeyValue | None) -> list[str] | None:
    return None if value is None else list(value)
