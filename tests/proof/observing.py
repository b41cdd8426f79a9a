"""What PostgreSQL really does with a text: locks, rewrites, scans, index builds."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg
from psycopg import errors
from servers import Server

RELATIONS = """
    SELECT c.oid::int8, CASE WHEN n.nspname = 'public' THEN '' ELSE n.nspname || '.' END || c.relname, c.relfilenode::int8
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm', 'v') AND n.nspname NOT LIKE 'pg%' AND n.nspname <> 'information_schema'
"""
LOCKS = """
    SELECT relation::int8, mode FROM pg_locks
    WHERE locktype = 'relation' AND pid = %s AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
ORDER = [
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
]
ANNOUNCED = {
    "rewriting table": "rewrite",
    "verifying table": "scan",
    "validating foreign key constraint": "key check",
    "building index": "index build",
}
LEFTOVERS = """
    SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace
    WHERE nspname NOT LIKE 'pg%' AND nspname <> 'information_schema'
    UNION ALL SELECT format('DROP PUBLICATION %I', pubname) FROM pg_publication
"""


@dataclass
class Observed:
    """Locks by relation (the strongest mode's number) and work, on relations that existed before."""

    locks: dict[str, int] = field(default_factory=dict)
    work: set[str] = field(default_factory=set)


@contextlib.contextmanager
def fresh_database(server: Server) -> Iterator[psycopg.Connection]:
    """Give a connection to an empty database; emptying one takes far less time than making one."""
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = 'proof'").fetchone():
            admin.execute("CREATE DATABASE proof")
            admin.execute("CREATE ROLE app")
            admin.execute("SET allow_in_place_tablespaces = true")
            admin.execute("CREATE TABLESPACE fast LOCATION ''")
            with psycopg.connect(server.dsn("proof"), autocommit=True) as first:
                first.execute("CREATE ACCESS METHOD columnar TYPE TABLE HANDLER heap_tableam_handler")
    with psycopg.connect(server.dsn("proof"), autocommit=True) as connection:
        for (command,) in connection.execute(LEFTOVERS).fetchall():
            connection.execute(command)
        connection.execute("CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO PUBLIC")
        yield connection


def observe(server: Server, schema: str, sql: str) -> Observed:
    """Run the schema in a database of its own, then the text; give what the text did. Everything is undone."""
    with fresh_database(server) as connection:
        connection.execute(schema)
        before = {oid: (name, node) for oid, name, node in connection.execute(RELATIONS)}
        try:
            return _inside(connection, before, sql)
        except errors.ActiveSqlTransaction:
            connection.execute("ROLLBACK")
    return _from_outside(server, before, sql)


def _inside(connection: psycopg.Connection, before: dict[int, tuple[str, int]], sql: str) -> Observed:
    observed = Observed()
    messages: list[str] = []
    connection.add_notice_handler(lambda notice: messages.append(notice.message_primary or ""))
    connection.execute("BEGIN")
    connection.execute("SET client_min_messages = debug1")
    connection.execute(sql)
    connection.execute("SET client_min_messages = warning")
    for oid, mode in connection.execute(LOCKS, (connection.info.backend_pid,)).fetchall():
        if oid in before:
            name = before[oid][0]
            observed.locks[name] = max(ORDER.index(mode) + 1, observed.locks.get(name, 0))
    after = {oid: node for oid, _, node in connection.execute(RELATIONS)}
    if any(oid in after and after[oid] != node for oid, (_, node) in before.items()):
        observed.work.add("rewrite")
    existing = [name for name, _ in before.values()]
    for message in messages:
        for words, kind in ANNOUNCED.items():
            named = kind == "key check" or any(f'"{name}"' in message for name in existing)
            if message.startswith(words) and named:
                observed.work.add(kind)
    connection.execute("ROLLBACK")
    if "rewrite" in observed.work:  # its index builds and checks come with it
        observed.work = {"rewrite"} | (observed.work & {"key check"})
    return observed


def _from_outside(server: Server, before: dict[int, tuple[str, int]], sql: str) -> Observed:
    """Watch a statement that runs in no transaction from a second session, while a writer makes it wait."""
    observed = Observed()
    with (
        psycopg.connect(server.dsn("proof")) as writer,
        psycopg.connect(server.dsn("proof"), autocommit=True) as watcher,
        psycopg.connect(server.dsn("proof"), autocommit=True) as runner,
    ):
        for name in [name for name, _ in before.values()]:
            writer.execute(f"LOCK TABLE {name} IN ROW EXCLUSIVE MODE")
        statements = [part for part in sql.split(";") if part.strip()]

        def work() -> None:
            for statement in statements:
                runner.execute(statement)

        thread = threading.Thread(target=work)
        thread.start()
        deadline = time.monotonic() + 1
        while thread.is_alive() and time.monotonic() < deadline:
            for oid, mode in watcher.execute(LOCKS, (runner.info.backend_pid,)).fetchall():
                if oid in before:
                    name = before[oid][0]
                    observed.locks[name] = max(ORDER.index(mode) + 1, observed.locks.get(name, 0))
            time.sleep(0.02)
            if observed.locks:
                break
        writer.rollback()
        thread.join(timeout=10)
    return observed
