"""An index is dropped without CONCURRENTLY."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Drop


def check(action: Drop, scene: Scene) -> Iterator[Problem]:
    if action.kind != "index" or action.concurrently or not scene.is_live_object("index", action.name):
        return
    index = scene.schema.indexes.get(action.name)
    if index and (not scene.is_live(index.table) or scene.is_dropped_later(index.table)):
        return
    table = index.table if index else "its table"
    yield Problem(
        f"dropping {action.name} needs ACCESS EXCLUSIVE on {table}, behind every running query",
        f"DROP INDEX CONCURRENTLY {action.name}, outside a transaction, in the contract phase",
    )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="An index is dropped without CONCURRENTLY",
    on=(Drop,),
    check=check,
    why=("DROP INDEX waits for every query on the table, and everything that comes after waits behind it."),
    instead="DROP INDEX CONCURRENTLY, outside a transaction.",
    bad=Example(
        "DROP INDEX users_email",
        schema=("CREATE TABLE users (id bigint PRIMARY KEY, email text); CREATE INDEX users_email ON users (email)"),
    ),
    good=Example(
        "DROP INDEX CONCURRENTLY users_email",
        schema=("CREATE TABLE users (id bigint PRIMARY KEY, email text); CREATE INDEX users_email ON users (email)"),
        in_transaction=False,
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-dropindex.html",
)
