"""An index is built without CONCURRENTLY."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import CreateIndex


def check(action: CreateIndex, scene: Scene) -> Iterator[Problem]:
    if action.concurrently or not scene.is_live(action.table) or not scene.effects.builds_index:
        return
    known = scene.schema.table(action.table)
    if action.only and not (known and known.complete):
        return  # hardly anybody says ONLY of a table that isn't partitioned
    unique = "UNIQUE " if action.unique else ""
    name = action.name or "<name>"
    yield Problem(
        f"no write to {action.table} gets through until the whole index is built",
        f"CREATE {unique}INDEX CONCURRENTLY {name} ON {action.table} …, in a part of its own, outside a transaction",
    )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="An index is built without CONCURRENTLY",
    on=(CreateIndex,),
    check=check,
    why=(
        "A plain CREATE INDEX holds SHARE on the table for the whole build: reads go on, every "
        "INSERT, UPDATE and DELETE waits."
    ),
    instead="CREATE INDEX CONCURRENTLY, outside a transaction, in a part of its own.",
    bad=Example(
        "CREATE INDEX users_email ON users (email)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, email text)",
    ),
    good=Example(
        "CREATE INDEX CONCURRENTLY users_email ON users (email)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, email text)",
        in_transaction=False,
    ),
    effects=(Effect("10-18", {"users": Lock.SHARE}, ("index build",)),),
    manual="https://www.postgresql.org/docs/current/sql-createindex.html",
)
