"""An index is dropped."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Drop


def check(action: Drop, scene: Scene) -> Iterator[Problem]:
    if action.kind != "index" or not scene.is_live_object("index", action.name):
        return
    index = scene.schema.indexes.get(action.name)
    if not (index and scene.is_dropped_later(index.table)):
        yield Problem(f"queries of running code may need {action.name}; idx_scan in pg_stat_user_indexes tells")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="An index is dropped",
    on=(Drop,),
    check=check,
    why="Plans of running code may depend on it, and get slow at once.",
    instead="Drop it in contract(), after reading pg_stat_user_indexes.",
    bad=Example(
        "DROP INDEX CONCURRENTLY users_email",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE INDEX users_email "
            "ON users (email)"
        ),
        in_transaction=False,
    ),
    good=Example(
        "CREATE INDEX CONCURRENTLY users_name ON users (name)",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE INDEX users_email "
            "ON users (email)"
        ),
        in_transaction=False,
    ),
    effects=(Effect("10-18", {"users": Lock.SHARE_UPDATE_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/monitoring-stats.html",
)
