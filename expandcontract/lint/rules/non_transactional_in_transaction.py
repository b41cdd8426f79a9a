"""A statement that runs only outside a transaction stands inside one."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import ClusterWide, Drop, Maintain, Reindex


def check(action: ClusterWide | Drop | Maintain | Reindex, scene: Scene) -> Iterator[Problem]:
    what = _refused(action, scene)
    if what and scene.in_transaction:
        yield Problem(f"PostgreSQL refuses {what} inside a transaction block")


def _refused(action: ClusterWide | Drop | Maintain | Reindex, scene: Scene) -> str | None:
    """Give the statement's name where PostgreSQL never runs it inside a transaction."""
    match action:
        case ClusterWide(verb=verb):
            return verb if verb != "ALTER DATABASE" else None
        case Drop(kind="database"):
            return "DROP DATABASE"
        case Maintain(verb="vacuum"):
            return "VACUUM"
        case Maintain(verb="cluster", tables=tables):
            return "CLUSTER of every table" if not tables or scene.schema.is_partitioned(tables[0]) else None
        case Reindex(scope="schema" | "database" | "system" as scope):
            return f"REINDEX {scope.upper()}"
        case Reindex(scope="table", name=name) if scene.schema.is_partitioned(name):
            return "REINDEX of a partitioned table"
    return None


RULE = Rule(
    hazard=Hazard.FAILURE,
    title="A statement that runs only outside a transaction stands inside one",
    on=(
        ClusterWide,
        Drop,
        Maintain,
        Reindex,
    ),
    check=check,
    why=("It commits by itself, or works outside of transactions altogether, so PostgreSQL refuses it."),
    instead=("A part of its own, outside a transaction: with op.get_context().autocommit_block()."),
    bad=Example("VACUUM users", schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)"),
    good=Example(
        "VACUUM users",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
        in_transaction=False,
    ),
    manual="https://www.postgresql.org/docs/current/sql-vacuum.html",
)
