"""Moving rows: range after range, each in its own transaction with its own row in the ledger."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import psycopg
from psycopg import sql
from psycopg.errors import DeadlockDetected, LockNotAvailable, SerializationFailure

from expandcontract.backfill.progress import Progress
from expandcontract.backfill.ranges import RangeStatements
from expandcontract.database import catalog
from expandcontract.database.backfill_ledger import BackfillLedger, KeyValue, Position
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.sync_catalog import sync_columns, types
from expandcontract.domain.change import Backfill
from expandcontract.domain.pace import Pace
from expandcontract.errors import LockBudgetSpent, UsageError

_RETRIES = 20
_LONGEST_NAP = 0.2  # seconds; how late a signal may be heard while the throttle waits
MOST_PASSES = 3  # in one run; the first does the work, a second picks up rows whose key has changed meanwhile


class Outcome(StrEnum):
    """How a run of the engine ended."""

    COMPLETE = "complete"  # every range is done and the predicate finds nothing
    INTERRUPTED = "interrupted"  # asked to stop; the last range is committed
    ROWS_LEFT = "rows-left"  # every pass is done, and rows still aren't right


@dataclass(frozen=True)
class Settings:
    """How a backfill may behave: rows per second (None: flat out) and its patience with locks, in milliseconds."""

    rate: int | None
    lock_timeout: int = 300
    statement_timeout: int = 10_000


class Engine:
    """
    Fills the rows of one table.

    Args:
        connection: of its own, in autocommit mode, with the user's search path. Its settings are changed.
        revision: the change, as the ledger's key.
        backfill: what to write.
        new_code_wrote: see `unfilled`.
        settings: rate and time-outs.
        on_progress: told after each range.
        stop: asked before each range whether to end.

    Raises:
        UsageError: the table doesn't exist, or has no key to walk.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        revision: str,
        backfill: Backfill,
        *,
        new_code_wrote: bool,
        settings: Settings,
        on_progress: Callable[[Progress], None],
        stop: Callable[[], bool],
    ) -> None:
        self._connection = connection
        self._executor = PsycopgExecutor(connection)
        self._ledger = BackfillLedger(self._executor)
        self._revision = revision
        self._backfill = backfill
        self._statements = _statements(self._executor, backfill, _key(self._executor, backfill), new_code_wrote)
        self._pace = Pace.start(settings.rate, time.monotonic())
        self._on_progress = on_progress
        self._stop = stop
        for name, value in (
            ("lock_timeout", settings.lock_timeout),
            ("statement_timeout", settings.statement_timeout),
            ("idle_in_transaction_session_timeout", 10_000),
            # a range is a walk along the key, whatever the statistics say or fail to say
            ("enable_seqscan", "off"),
        ):
            connection.execute("SELECT set_config(%s, %s, false)", [name, str(value)])
        # the Sync's triggers let this session pass: it writes the new side itself
        connection.execute("SELECT set_config('ec.sync', 'off', false)")

    def run(self) -> Outcome:
        """
        Go on from where the ledger says the backfill is, to the end, and verify.

        Raises:
            LockBudgetSpent: a range ran into locks again and again; the position is kept.
            psycopg.Error: a range failed for another reason; the position is kept.
        """
        known = self._ledger.positions().get(self._revision)
        position = known if known and not known.is_at_end else self._begin(known)
        for number in range(MOST_PASSES):
            position = self._pass(self._begin(position) if number else position)
            if not position.is_at_end:
                return Outcome.INTERRUPTED
            if not self._any_left():
                return Outcome.COMPLETE
        return Outcome.ROWS_LEFT

    def _any_left(self) -> bool:
        return rows_left(self._connection, self._statements)

    def _begin(self, before: Position | None) -> Position:
        """A new pass. It fixes the end of the key space: what comes later is kept right by the Sync or the writers."""
        last = self._connection.execute(self._statements.last_key()).fetchone()
        position = Position(
            revision=self._revision,
            relation=catalog.regclass(self._backfill.table, self._backfill.table_schema),
            key_columns=self._statements.key.columns,
            key_types=self._statements.key.types,
            last_key=tuple(last) if last else None,
            number_of_pass=before.number_of_pass + 1 if before else 1,
            estimated_rows=self._estimate(),
            started_at=None,
        )
        self._ledger.begin_pass(position)
        return position

    def _estimate(self) -> int:
        plan: Any = (self._one(self._statements.estimate()) or [[{}]])[0]
        return int(plan[0].get("Plan", {}).get("Plan Rows", 0))

    def _pass(self, position: Position) -> Position:
        """Range after range until the end of the pass, or until asked to stop."""
        began, rows_before = time.monotonic(), position.rows_seen
        while position.last_key is not None and not position.is_at_end and self._wait():
            position = self._range_with_retries(position, position.last_key)
            elapsed = max(time.monotonic() - began, 1e-9)
            self._on_progress(
                Progress(
                    revision=self._revision,
                    rows=position.rows_seen,
                    of_about=max(position.estimated_rows, position.rows_seen),
                    rows_written=position.rows_written,
                    number_of_pass=position.number_of_pass,
                    rate=(position.rows_seen - rows_before) / elapsed,
                    batch=self._pace.batch,
                )
            )
        return position

    def _wait(self) -> bool:
        """Keep the pace; False as soon as somebody asks to stop."""
        while not self._stop():
            left = self._pace.wait(time.monotonic())
            if left <= 0:
                return True
            time.sleep(min(left, _LONGEST_NAP))
        return False

    def _range_with_retries(self, position: Position, last: KeyValue) -> Position:
        for attempt in range(_RETRIES):
            try:
                return self._range(position, last)
            except (LockNotAvailable, DeadlockDetected, SerializationFailure) as error:
                self._pace, reason = self._pace.slower(), error
                time.sleep(random.uniform(0, min(2.0, 0.05 * 2**attempt)))  # noqa: S311  # jitter
        raise LockBudgetSpent(
            f"a range of backfill {self._revision} ran into locks {_RETRIES} times; the position is kept",
            because=reason.diag.message_primary,
            next_command=f"ec backfill {self._revision}",
        )

    def _range(self, position: Position, last: KeyValue) -> Position:
        """One range: its rows and its row in the ledger, in one transaction."""
        began, statements, lower = time.monotonic(), self._statements, position.upper_key
        with self._connection.transaction():
            found = self._one(statements.upper_key(lower, last, self._pace.batch))
            upper: KeyValue = tuple(found) if found else last
            rows = self._pace.batch if found else int((self._one(statements.count(lower, upper)) or [0])[0])
            written = self._connection.execute(statements.fill(lower, upper)).rowcount
            seconds = time.monotonic() - began
            self._ledger.finish_range(position, upper, rows_seen=rows, rows_written=written, seconds=seconds)
        now = time.monotonic()
        self._pace = self._pace.took(rows, now - began, now)
        return replace(
            position,
            upper_key=upper,
            ranges=position.ranges + 1,
            rows_seen=position.rows_seen + rows,
            rows_written=position.rows_written + written,
        )

    def _one(self, query: sql.Composed) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._connection.execute(query).fetchone()
        return row


def rows_left(connection: psycopg.Connection[Any], statements: RangeStatements) -> bool:
    """Whether the backfill's own predicate finds a row now. Reads the table without a lock that anybody feels."""
    with connection.transaction():
        connection.execute("SET LOCAL statement_timeout = 0")
        connection.execute("SET LOCAL enable_seqscan = on")
        found = connection.execute(statements.any_left()).fetchone()
    return bool(found and found[0])


def rows_left_in(connection: psycopg.Connection[Any], backfill: Backfill, *, new_code_wrote: bool) -> bool:
    """`rows_left` for a backfill, on any connection with the user's search path."""
    no_key = catalog.Key((), ())
    return rows_left(connection, _statements(PsycopgExecutor(connection), backfill, no_key, new_code_wrote))


def _statements(
    executor: PsycopgExecutor, backfill: Backfill, key: catalog.Key, new_code_wrote: bool
) -> RangeStatements:
    columns = sync_columns(executor, backfill.table, backfill.table_schema)
    missing = [name for name in backfill.assignments if name not in columns]
    if missing:
        raise UsageError(f"{backfill.table} has no column {', '.join(missing)}, which the backfill sets")
    return RangeStatements(backfill, key, new_code_wrote, types(columns))


def _key(executor: PsycopgExecutor, backfill: Backfill) -> catalog.Key:
    table, schema = backfill.table, backfill.table_schema
    if catalog.schema_of(executor, table, schema) is None:
        raise UsageError(f"the backfill's table {table} doesn't exist in this database")
    key = catalog.key(executor, table, schema)
    if key is None:
        raise UsageError(
            f"{table} has no key that a backfill could walk along",
            because="it has neither a primary key nor a unique index over NOT NULL columns",
            next_command="add one: CREATE UNIQUE INDEX CONCURRENTLY on columns that are NOT NULL",
        )
    return key
