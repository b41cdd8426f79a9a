"""What PostgreSQL really does with a rule's example, in an empty database each time."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterator

import psycopg
from servers import Server

from expandcontract.proof.observing import Observed, Observer

OUTSIDE = re.compile(r"^(?!REFRESH).*CONCURRENTLY|^VACUUM", re.DOTALL)
LOCKS = """
    SELECT c.relname, max(array_position(ARRAY['AccessShareLock', 'RowShareLock', 'RowExclusiveLock',
        'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'], mode))
    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
    WHERE l.pid = %s AND c.relname = ANY (%s) GROUP BY c.relname
"""
LEFTOVERS = """
    SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace
    WHERE nspname NOT LIKE 'pg%' AND nspname <> 'information_schema'
    UNION ALL SELECT format('DROP PUBLICATION %I', pubname) FROM pg_publication
"""


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
    """Run the schema in an empty database, then the text; give what the text did."""
    with fresh_database(server) as connection:
        connection.execute(schema)
        if OUTSIDE.search(sql):
            return from_outside(server, sql)
        observed = Observer(connection).run(sql)
    assert observed.error is None, observed.error
    return observed


def from_outside(server: Server, sql: str) -> Observed:
    """Watch statements that run in no transaction from a second session, while a writer makes them wait."""
    locks: dict[str, int] = {}
    with (
        psycopg.connect(server.dsn("proof")) as writer,
        psycopg.connect(server.dsn("proof"), autocommit=True) as watcher,
        psycopg.connect(server.dsn("proof"), autocommit=True) as runner,
    ):
        tables = [name for (name,) in watcher.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        for name in tables:
            writer.execute(f"LOCK TABLE {name} IN ROW EXCLUSIVE MODE")
        thread = threading.Thread(target=lambda: [runner.execute(part) for part in sql.split("; ")])
        thread.start()
        deadline = time.monotonic() + 1
        while thread.is_alive() and time.monotonic() < deadline and not locks:
            time.sleep(0.02)
            locks = dict(watcher.execute(LOCKS, (runner.info.backend_pid, tables)).fetchall())
        writer.rollback()
        thread.join(timeout=10)
    return Observed(locks)
