"""An index is rebuilt without CONCURRENTLY."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Reindex


def check(action: Reindex, scene: Scene) -> Iterator[Problem]:
    if action.concurrently or (action.scope == "table" and not scene.is_live(action.name)):
        return
    if action.scope == "index" and not scene.is_live_object("index", action.name):
        return
    what = f"REINDEX {action.scope.upper()}"
    yield Problem(
        f"{what} {action.name} stops every write to the table, and every query that would use the index",
        f"{what} CONCURRENTLY {action.name} (PostgreSQL 12 and newer), outside a transaction",
    )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="An index is rebuilt without CONCURRENTLY",
    on=(Reindex,),
    check=check,
    why=(
        "REINDEX holds SHARE on the table and ACCESS EXCLUSIVE on each index; even planning a "
        "query waits for the latter."
    ),
    instead="REINDEX … CONCURRENTLY, from PostgreSQL 12, outside a transaction.",
    bad=Example("REINDEX TABLE users", schema="CREATE TABLE users (id bigint PRIMARY KEY, email text)"),
    good=Example(
        "REINDEX TABLE CONCURRENTLY users",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, email text)",
        in_transaction=False,
    ),
    effects=(Effect("10-18", {"users": Lock.SHARE}, ("index build",)),),
    manual="https://www.postgresql.org/docs/current/sql-reindex.html",
)
