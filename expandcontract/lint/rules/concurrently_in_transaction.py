"""CONCURRENTLY is used inside a transaction."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import CreateIndex, DetachPartition, Drop, Reindex


def check(action: CreateIndex | Drop | Reindex | DetachPartition, scene: Scene) -> Iterator[Problem]:
    if action.concurrently and scene.in_transaction:
        yield Problem("PostgreSQL refuses CONCURRENTLY inside a transaction block")


RULE = Rule(
    hazard=Hazard.FAILURE,
    title="CONCURRENTLY is used inside a transaction",
    on=(
        CreateIndex,
        Drop,
        Reindex,
        DetachPartition,
    ),
    check=check,
    why=(
        "The statement commits several times while it works, so it cannot be part of a transaction, nor of a DO block."
    ),
    instead=("A part of its own, outside a transaction: with op.get_context().autocommit_block()."),
    bad=Example(
        "CREATE INDEX CONCURRENTLY users_email ON users (email)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "CREATE INDEX CONCURRENTLY users_email ON users (email)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
        in_transaction=False,
    ),
    manual="https://www.postgresql.org/docs/current/sql-createindex.html",
)
