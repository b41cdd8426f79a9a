"""One runner at a time per database: an advisory lock on a connection of its own, polled, never waited for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg

from expandcontract.database.address import Address
from expandcontract.database.connect import connect
from expandcontract.database.executor import Executor, PsycopgExecutor
from expandcontract.database.queries import queries
from expandcontract.errors import RunnerBusy

# Advisory locks belong to a database, so one namespace ("ec" in ASCII) does.
NAMESPACE = 0x6563
RUNNER = 1


@contextmanager
def runner_lock(
    address: Address, *, application_name: str, key: int = RUNNER, patience: float = 0.0
) -> Iterator[psycopg.Connection[Any]]:
    """
    Hold a lock of this database; gives the (autocommit) connection that holds it.

    A waiting ``pg_advisory_lock`` would deadlock with CREATE INDEX CONCURRENTLY, which waits for every older snapshot;
    so we ask, and sleep between asking (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS).

    Args:
        address: the database.
        application_name: how other runners see us.
        key: which lock.
        patience: seconds to go on asking.

    Raises:
        RunnerBusy: another runner has it.
        ServerUnfit: behind a pooler, where such a lock means nothing.
        ServerUnreachable: no connection.
    """
    with connect(address, application_name=application_name, direct=True) as connection:
        executor = PsycopgExecutor(connection)
        deadline = time.monotonic() + patience
        lock = {"namespace": NAMESPACE, "key": key}
        while not executor.rows(queries("activity")["try_lock"], lock)[0][0]:
            if time.monotonic() >= deadline:
                raise _busy(executor, lock)
            time.sleep(0.1)
        yield connection


def is_held_by(executor: Executor, pid: int) -> bool:
    """Whether the backend `pid` has the runner's lock, seen from a session that may be on another server."""
    facts = {"namespace": NAMESPACE, "key": RUNNER, "pid": pid}
    return bool(executor.rows(queries("activity")["is_held_by"], facts)[0][0])


def _busy(executor: PsycopgExecutor, lock: Mapping[str, int]) -> RunnerBusy:
    holders = executor.rows(queries("activity")["lock_holder"], lock)
    if not holders:
        return RunnerBusy("another runner held the lock a moment ago", next_command="run the same command again")
    pid, application_name, client, since = holders[0]
    return RunnerBusy(
        "another runner is at work on this database",
        because=f"backend {pid} ({application_name}, from {client or 'a local socket'}) has held the lock,"
        f" connected since {since:%Y-%m-%d %H:%M:%S %Z}",
        next_command="wait for it to end; ec status shows how far it is",
    )
