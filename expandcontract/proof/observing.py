"""
What a statement really makes PostgreSQL do: the locks it holds at its end, and the work it announces.

Meant for a scratch database, on which nobody else works: every statement is committed, so that the next one
meets the schema that it left. Tables may be empty; what PostgreSQL does to them is the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg import errors, sql

_RELATIONS: LiteralString = """
    SELECT c.oid::int8, c.relfilenode::int8,
           CASE WHEN n.nspname = 'public' THEN '' ELSE quote_ident(n.nspname) || '.' END
             || quote_ident(c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm', 'v') AND n.nspname NOT LIKE 'pg%'
      AND n.nspname <> 'information_schema'
"""
_LOCKS: LiteralString = """
    SELECT l.relation::int8, l.mode FROM pg_locks l
    WHERE l.locktype = 'relation' AND l.pid = pg_backend_pid()
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_LOCKS_OF: LiteralString = """
    SELECT l.relation::int8, l.mode, l.granted FROM pg_locks l
    WHERE l.pid = %s AND (l.locktype <> 'relation'
      OR l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
_TABLES: LiteralString = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname NOT LIKE 'pg%'
      AND n.nspname <> 'information_schema'
"""
_MODES = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
# DEBUG1 messages of tablecmds.c and index.c
_ANNOUNCED = {
    "verifying table": "scan",
    "validating foreign key constraint": "key check",
    "building index": "index build",
}


@dataclass(frozen=True, slots=True)
class Observed:
    """
    What one statement did to relations that existed before it.

    ``locks`` gives the number of the strongest mode by relation (8 is ACCESS EXCLUSIVE), or None where nobody could
    see them: the statement runs outside of transactions and waits for nobody, or not while it holds them.
    ``outside`` tells that the locks are those of one moment. ``error`` is the server's message.
    """

    locks: dict[str, int] | None
    work: frozenset[str] = frozenset()
    seconds: float = 0.0
    error: str | None = None
    outside: bool = False


@dataclass(slots=True)
class Observer:
    """Runs statements one after another on a scratch database and watches each."""

    connection: psycopg.Connection[Any]
    _messages: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection.autocommit = True
        self.connection.add_notice_handler(lambda notice: self._messages.append(notice.message_primary or ""))

    @property
    def version(self) -> int:
        """The server's major version."""
        return self.connection.info.server_version // 10000

    @property
    def time_zone(self) -> str:
        """The session's TimeZone."""
        return self.connection.info.parameter_status("TimeZone") or ""

    def run(self, statement: str) -> Observed:
        """Run a statement, commit it, and give what it did."""
        before = self._relations()
        start = time.perf_counter()
        try:
            with self.connection.transaction():
                observed = self._watched(statement, before)
        except errors.ActiveSqlTransaction:
            return self._outside(statement)
        except psycopg.Error as error:
            return Observed({}, error=str(error).strip().splitlines()[0])
        return Observed(observed.locks, observed.work, time.perf_counter() - start)

    def _watched(self, statement: str, before: dict[int, tuple[int, str]]) -> Observed:
        self._messages.clear()
        self.connection.execute("SET LOCAL client_min_messages = debug1")
        self.connection.execute(sql.SQL(statement))
        self.connection.execute("SET LOCAL client_min_messages = warning")
        held = self.connection.execute(_LOCKS)
        locks = _strongest((before[oid][1], mode) for oid, mode in held if oid in before)
        return Observed(locks, self._work_since(before))

    def _work_since(self, before: dict[int, tuple[int, str]]) -> frozenset[str]:
        after = self._relations()
        rewritten = {oid for oid, (node, _) in before.items() if oid in after and after[oid][0] != node}
        return self._work({name for _, name in before.values()}, bool(rewritten))

    def _work(self, existing: set[str], rewritten: bool) -> frozenset[str]:
        found = {"rewrite"} if rewritten else set()
        for message in self._messages:
            for words, kind in _ANNOUNCED.items():
                about_existing = any(f'"{name.rsplit(".", 1)[-1].strip(chr(34))}"' in message for name in existing)
                if message.startswith(words) and (kind == "key check" or about_existing):
                    found.add(kind)
        if rewritten:  # its scans and index builds are part of it
            found -= {"scan", "index build"}
        return frozenset(found)

    def _outside(self, statement: str) -> Observed:
        """
        Run a statement that can't stand in a transaction, and look at its locks from a second session.

        It holds nothing at its end, so it is made to wait in its midst: for a third session, which has written to
        every table. CREATE INDEX CONCURRENTLY and its kin wait for that one after they have taken their locks.
        What never waits for a writer, such as VACUUM, is over before anybody could look.
        """
        before = self._relations()
        self._messages.clear()
        self.connection.execute("SET client_min_messages = debug1")
        start = time.perf_counter()
        with self._another_session() as writer, ThreadPoolExecutor(1) as runner:
            _write_to_all(writer, self._written())
            running = runner.submit(self.connection.execute, sql.SQL(statement))
            try:
                locks = self._locks_while_waiting(running, before)
            finally:
                writer.rollback()
        error = running.exception()
        self.connection.execute("RESET client_min_messages")
        if error is not None and not isinstance(error, psycopg.Error):
            raise error
        if error is not None:
            return Observed(None, error=str(error).strip().splitlines()[0])
        seconds = time.perf_counter() - start
        return Observed(locks or None, self._work_since(before), seconds, outside=True)

    def _another_session(self) -> psycopg.Connection[Any]:
        info = self.connection.info
        return psycopg.connect(info.dsn, password=info.password or None, autocommit=False)

    def _written(self) -> list[tuple[str, str]]:
        return list(self.connection.execute(_TABLES))

    def _locks_while_waiting(self, running: Future[Any], before: dict[int, tuple[int, str]]) -> dict[str, int] | None:
        """Give the locks, held and asked for, at the moment the statement waits; None where it never does."""
        with self._another_session() as watcher:
            watcher.autocommit = True
            while not running.done():
                rows = watcher.execute(_LOCKS_OF, [self.connection.info.backend_pid]).fetchall()
                if any(not granted for _, _, granted in rows):
                    return _strongest((before[oid][1], mode) for oid, mode, _ in rows if oid in before)
                time.sleep(0.01)
        return None

    def _relations(self) -> dict[int, tuple[int, str]]:
        return {oid: (node, name) for oid, node, name in self.connection.execute(_RELATIONS)}


def _strongest(locks: Iterable[tuple[str, str]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, mode in locks:
        found[name] = max(_MODES.index(mode) + 1, found.get(name, 0))
    return found


def _write_to_all(writer: psycopg.Connection[Any], tables: Iterable[tuple[str, str]]) -> None:
    for schema, table in tables:
        writer.execute(sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(sql.Identifier(schema, table)))
