"""States of one database, kept to go back to, and what of a state two runs must agree about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from tests.crash.site import Site
from tests.fixtures.project import catalogue, snapshot, until
from tests.fixtures.servers import Database

_OTHERS = """
SELECT pid FROM pg_stat_activity
 WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
"""

# The ledger without moments, process ids and the like, which no two runs share.
_LEDGER = {
    "ledger": "SELECT version FROM ec.ledger",
    "releases": "SELECT tag, last_traffic IS NULL FROM ec.release",
    "shipped": "SELECT release, revision, needs_backfill FROM ec.shipped",
    "colours": "SELECT name, release, weight FROM ec.colour",
    "steps": "SELECT revision, phase, state, parts_done, outside, writers, error FROM ec.step",
    "meanings": "SELECT revision, phase, parts FROM ec.meaning",
    "backfills": "SELECT revision, relation, state, reason, rate, pass FROM ec.backfill",
    "ranges": "SELECT revision, pass, state, sum(rows_seen), sum(rows_written) FROM ec.backfill_range GROUP BY 1, 2, 3",
    "decisions": "SELECT revision, extended, closed_at IS NULL, person, reason FROM ec.rollback_window",
    "tombstones": "SELECT revision, schema, relation, columns FROM ec.tombstone",
    "grants": 'SELECT schema, relation, grantee, privilege, "column", is_grantable FROM ec.tombstone_grant',
    "homes": "SELECT count(*) FROM ec.database",
    "looks": "SELECT is_known, said FROM ec.observation",
}
_PRIVILEGES = """
SELECT c.oid::regclass::text, c.relacl::text, a.attname, a.attacl::text
  FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped
 WHERE c.relnamespace = 'public'::regnamespace
"""
# what went wrong is history of its own
_EVENTS = """
SELECT kind, revision, facts ->> 'part' FROM ec.event WHERE kind !~ ' (failed|interrupted|ended early)$'
"""
_STEPS = """
SELECT revision, phase, CASE state WHEN 'failed' THEN 'started' ELSE state END, parts_done
  FROM ec.step WHERE state <> 'pending'
"""


@dataclass
class States:
    """Copies of a database, by name. Where the ledger knows copies from originals, the copy passes for one."""

    site: Site
    _kept: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        """On whatever server it is now."""
        return self.site.database

    def keep(self, name: str) -> None:
        """Keep the state of now."""
        self.settle()
        copy = f"{self.database.name}_{len(self._kept)}"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with self._admin() as admin:
            admin.execute(create.format(sql.Identifier(copy), sql.Identifier(self.database.name)))
        self._kept[name] = copy

    def go_back_to(self, name: str) -> None:
        """Have that state again."""
        own, copy = sql.Identifier(self.database.name), sql.Identifier(self._kept[name])
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
            own, copy, sql.Identifier(self.database.role)
        )
        with self._admin() as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(own))
            admin.execute(create)
        self.site.be_at_home()

    def settle(self) -> None:
        """Wait until nobody is connected: what a killed process has begun has ended on the server."""
        with self.database.connect(autocommit=True) as connection:
            until(lambda: not connection.execute(_OTHERS).fetchall(), what="all sessions have ended")

    def _admin(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.database.server.admin_dsn, autocommit=True)


def outcome(dsn: str) -> dict[str, Any]:
    """All that a command leaves: the catalogue, every row of the application's, and the ledger."""
    found = {what: rows for what, rows in snapshot(dsn).items() if not what.startswith("rows of ec.")}
    with psycopg.connect(dsn, autocommit=True) as connection:
        found["privileges"] = sorted(connection.execute(_PRIVILEGES).fetchall(), key=repr)
        if _has_ledger(connection):
            for what, query in _LEDGER.items():
                found[f"ledger: {what}"] = sorted(connection.execute(query.encode()).fetchall(), key=repr)
            events = Counter(connection.execute(_EVENTS).fetchall())
            found["ledger: events"] = sorted(
                ((*event, events[event] if _happens_once(event[0]) else "some") for event in events), key=repr
            )
    return found


def shape(dsn: str) -> frozenset[str]:
    """
    The catalogue and how far each step is: these two must agree at every moment.

    An index that isn't valid doesn't count, since nobody can make one and record it at once.
    """
    found = catalogue(dsn)
    found["indexes"] = [row for row in found["indexes"] if row[2]]
    lines = {f"{what}: {row}" for what, rows in found.items() if what != "relations" for row in rows}
    with psycopg.connect(dsn, autocommit=True) as connection:
        if _has_ledger(connection):
            lines |= {f"step: {row}" for row in connection.execute(_STEPS)}
        if connection.execute("SELECT to_regclass('public.alembic_version')").fetchone() != (None,):
            lines |= {f"alembic: {row}" for row in connection.execute("SELECT version_num FROM public.alembic_version")}
    return frozenset(lines)


def _happens_once(kind: str) -> bool:
    """Whether it has happened only once however often it is asked for; what a person says is noted each time."""
    return kind.endswith((" done", " undone"))


@contextmanager
def writes(dsn: str) -> Iterator[Callable[[], bool]]:
    """A question: whether any transaction has written something since it was last asked."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        seen = [0]

        def moved() -> bool:
            ((newest,),) = connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::int8").fetchall()
            before, seen[0] = seen[0], newest
            return bool(newest != before)

        moved()
        yield moved


def _has_ledger(connection: psycopg.Connection[Any]) -> bool:
    return connection.execute("SELECT to_regclass('ec.ledger')").fetchone() != (None,)


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """What two outcomes disagree about, with a few examples of what one has and the other hasn't."""
    return {
        what: {"too much": _examples(found, wanted, what), "missing": _examples(wanted, found, what)}
        for what in found.keys() | wanted.keys()
        if found.get(what) != wanted.get(what)
    }


def _examples(having: dict[str, Any], lacking: dict[str, Any], what: str) -> list[Any]:
    there = Counter(map(repr, lacking.get(what, ())))
    return [
        each for each, _ in zip((Counter(map(repr, having.get(what, ()))) - there).elements(), range(5), strict=False)
    ]
