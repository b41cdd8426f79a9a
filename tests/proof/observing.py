"""What PostgreSQL really does with a rule's example, in an empty database each time."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Iterator

import psycopg

from expandcontract.proof.observing import Observed, Observer
from tests.fixtures.servers import Server, unavailable, with_parameters

PROOF = f"proof_{os.getpid()}"  # workers may share a server
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


def dsn(server: Server, database: str = PROOF) -> str:
    """A superuser's way into a database of the server."""
    if not server.admin_is_superuser:
        unavailable("EC_TEST_DSN isn't a superuser, and this test needs one")
    return with_parameters(server.admin_dsn, dbname=database)


@contextlib.contextmanager
def proof_database(server: Server) -> Iterator[None]:
    """A database with all that examples suppose, for the tests of one process to share; dropped at the end."""
    with psycopg.connect(dsn(server, "postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {PROOF}")
        if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = 'app'").fetchone():
            admin.execute("CREATE ROLE app")
        if server.major >= 15 and not admin.execute("SELECT 1 FROM pg_tablespace WHERE spcname = 'fast'").fetchone():
            admin.execute("SET allow_in_place_tablespaces = true")
            admin.execute("CREATE TABLESPACE fast LOCATION ''")
    with psycopg.connect(dsn(server), autocommit=True) as first:
        first.execute("CREATE ACCESS METHOD columnar TYPE TABLE HANDLER heap_tableam_handler")
    yield
    with psycopg.connect(dsn(server, "postgres"), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {PROOF} WITH (FORCE)")


@contextlib.contextmanager
def fresh_database(server: Server) -> Iterator[psycopg.Connection]:
    """Give a connection to the empty database; emptying one takes far less time than making one."""
    with psycopg.connect(dsn(server), autocommit=True) as connection:
        connection.execute("SET client_min_messages = error")
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
        psycopg.connect(dsn(server)) as writer,
        psycopg.connect(dsn(server), autocommit=True) as watcher,
        psycopg.connect(dsn(server), autocommit=True) as runner,
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
