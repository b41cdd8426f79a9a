"""A worker's session: a connection of its own with everything set, and a number in the ledger while it lives."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from expandcontract.backfill.limits import set_limits
from expandcontract.backfill.stretches import estimated_rows, find_stretches
from expandcontract.backfill.trial import try_out
from expandcontract.database import catalog
from expandcontract.database.backfill_ledger import BackfillLedger
from expandcontract.database.backfill_records import BackfillState, Worker
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.range_ledger import RangeLedger
from expandcontract.domain.change import Backfill, Sync
from expandcontract.errors import RunnerBusy, UsageError

OpenConnection = Callable[[str], psycopg.Connection[Any]]


@dataclass(frozen=True)
class Settings:
    """
    How a backfill may behave.

    ``rate`` is rows per second over all workers (None: flat out), for a backfill that begins; `sets_rate` makes it the
    rate of one that has begun, too. With `again` one that is complete begins again. ``workers`` are threads of this
    process; with `watched` a watch of this process looks at the health signals. ``lease`` is how many seconds a range
    is kept for a worker that is alive and silent, ``target`` how many it is to take, ``idle`` how many a transaction
    may wait for its worker, ``patience`` how long to go on asking a server that doesn't answer.
    """

    rate: int | None
    sets_rate: bool = False
    again: bool = False
    workers: int = 1
    watched: bool = False
    lease: float = 30.0
    target: float = 0.1
    idle: float = 10.0
    patience: float = 60.0


@dataclass(frozen=True)
class Session:
    """A connection that moves rows, and its worker's number."""

    connection: psycopg.Connection[Any]
    ledger: BackfillLedger
    ranges: RangeLedger
    worker: int

    def end(self) -> None:
        """Leave, without a trace in the ledger if the server still answers."""
        try:
            if not self.connection.closed:
                self.ranges.drop_worker(self.worker)
        except psycopg.Error:
            pass
        finally:
            self.connection.close()


def open_session(
    open_connection: OpenConnection, revision: str, backfill: Backfill, settings: Settings, *, begins: bool
) -> Session:
    """
    Join a backfill, or begin it where it hasn't begun, or has been cancelled, or has come to its end.

    Args:
        open_connection: gives an autocommit connection with the user's search path, under an application name.
        revision: the change, as the ledger's key.
        backfill: what to write.
        settings: time-outs, and the rate.
        begins: whether this is a run's first session; a later one takes the backfill as it finds it.

    Raises:
        RunnerBusy: another backfill fills the same table.
        UsageError: the table doesn't exist, or can't be walked along; or the backfill can't work.
    """
    connection = open_connection(f"ec:backfill:{revision}")
    try:
        executor = PsycopgExecutor(connection)
        ledger, ranges = BackfillLedger(executor), RangeLedger(executor)
        set_limits(connection, backfill)
        for name, value in (
            ("idle_in_transaction_session_timeout", round(settings.idle * 1000)),
            # who waited for a row's lock must look at the row as it is then
            ("default_transaction_isolation", "read committed"),
            # an error where a policy of another table would hide rows from the author's statement
            ("row_security", "off"),
            # a range is a walk along the key, whatever the statistics say or fail to say
            ("enable_seqscan", "off"),
            # before PostgreSQL 18 what is off costs so much that every statement would be compiled first
            ("jit", "off"),
            # the triggers of its Sync let this session pass, which writes the new side itself; but what another kind
            # writes, a Sync of another change must follow
            ("ec.sync", "off" if isinstance(backfill.source, Sync) else "on"),
        ):
            connection.execute("SELECT pg_catalog.set_config(%s, %s, false)", [name, str(value)])
        relation = catalog.regclass(backfill.table, backfill.table_schema)
        with connection.transaction():
            # others are waited for: beginning takes longer than a range may
            connection.execute("SET LOCAL lock_timeout = 0")
            connection.execute("SET LOCAL statement_timeout = 0")
            root = ledger.root(relation)
            if root is None:
                raise UsageError(f"the backfill's table {backfill.table} doesn't exist in this database")
            ledger.lock_joining(root)
            if begins:
                ledger.bury()
                others = [worker for worker in ledger.workers(revision, root) if worker.revision != revision]
                _refuse_beside(others, backfill.table)
                _begin(connection, ledger, revision, relation, root, backfill, settings)
            worker = ranges.put_worker(revision, root, host=socket.gethostname(), pid=os.getpid())
    except BaseException:
        connection.close()
        raise
    return Session(connection, ledger, ranges, worker)


@contextmanager
def without_workers(connection: psycopg.Connection[Any], revision: str, backfill: Backfill) -> Iterator[None]:
    """
    Nobody moves rows of the table, and nobody begins to.

    Args:
        connection: in autocommit mode; it keeps the lock.
        revision: the change, as the ledger's key.
        backfill: its backfill.

    Raises:
        RunnerBusy: a backfill of the table is at work.
    """
    ledger = BackfillLedger(PsycopgExecutor(connection))
    root = ledger.root(catalog.regclass(backfill.table, backfill.table_schema))
    if root is None:
        yield
        return
    ledger.keep_from_joining(root)
    _refuse_beside(ledger.workers(revision, root), backfill.table)
    yield


def _begin(
    connection: psycopg.Connection[Any],
    ledger: BackfillLedger,
    revision: str,
    relation: str,
    root: int,
    backfill: Backfill,
    settings: Settings,
) -> None:
    orders = ledger.lock(revision)
    anew = orders is None or orders.state is BackfillState.CANCELLED
    if orders is not None and orders.state is BackfillState.COMPLETE:
        anew = settings.again  # else somebody has completed it since this run was asked for
    if orders is not None and orders.state is BackfillState.FAILED:
        # where it failed at its end, with every range done, going on would come to the same end at once
        number = orders.number_of_pass
        work_left = ledger.next_stretch(revision, number) or ledger.open_ranges(revision, number)
        anew = not work_left and revision not in ledger.set_aside()
    position = ledger.position(revision)
    if position is not None and position.relation != relation:
        anew = True  # the author has changed its table since
    if anew:
        stretches = find_stretches(connection, backfill)
        try_out(connection, backfill, stretches)
        estimate = estimated_rows(connection, backfill)
        ledger.begin(revision, relation, root, rate=settings.rate, estimated_rows=estimate)
        ledger.put_stretches(revision, 1, stretches)
    elif orders is not None and orders.state is BackfillState.FAILED:
        ledger.put_state(revision, BackfillState.RUNNING)
        ledger.retry(revision)  # somebody may have mended the rows set aside
    ledger.forgive(revision)
    if settings.sets_rate:
        ledger.put_rate(revision, settings.rate)


def _refuse_beside(workers: list[Worker], table: str) -> None:
    if workers:
        first = workers[0]
        raise RunnerBusy(
            f"another backfill fills {table}",
            because=f"backend {first.backend} (process {first.pid} on {first.host}) fills it for {first.revision},"
            f" since {first.started_at:%Y-%m-%d %H:%M:%S %Z}",
            next_command="wait for it to end; ec status shows how far it is",
        )
