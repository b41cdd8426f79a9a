"""An index is dropped before its replacement exists."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.known import KnownIndex
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import CreateIndex, Drop


def check(action: Drop, scene: Scene) -> Iterator[Problem]:
    if action.kind != "index" or not scene.is_live_object("index", action.name):
        return
    old = scene.schema.indexes.get(action.name)
    for statement in scene.later:
        for each in statement.actions:
            if isinstance(each, CreateIndex) and _replaces(each, action, old):
                yield Problem(
                    f"between this and the new index on {each.table} nothing serves the queries that "
                    f"used {action.name}",
                    "create the new index first, CONCURRENTLY and under another name, then drop the old one",
                )
                return


def _replaces(new: CreateIndex, dropped: Drop, old: KnownIndex | None) -> bool:
    """Whether the new index replaces the dropped one: same table and leading column, as far as known."""
    if old:
        return new.table == old.table and new.columns[:1] == old.columns[:1]
    # the same name again repairs an index that was left INVALID, if there is one
    return not (dropped.if_exists and new.name == dropped.name.rsplit(".", 1)[-1])


RULE = Rule(
    hazard=Hazard.TRANSACTION,
    title="An index is dropped before its replacement exists",
    on=(Drop,),
    check=check,
    why="Until the new index is built, its queries read the whole table.",
    instead="Create the new index first, under another name; then drop the old one.",
    bad=Example(
        "DROP INDEX CONCURRENTLY users_email; CREATE INDEX CONCURRENTLY users_email_name ON users (email, name)",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE INDEX users_email "
            "ON users (email)"
        ),
        in_transaction=False,
    ),
    good=Example(
        "CREATE INDEX CONCURRENTLY users_email_name ON users (email, name); DROP INDEX CONCURRENTLY users_email",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE INDEX users_email "
            "ON users (email)"
        ),
        in_transaction=False,
    ),
    effects=(Effect("10-18", {"users": Lock.SHARE_UPDATE_EXCLUSIVE}, ("index build",)),),
    manual="https://www.postgresql.org/docs/current/sql-dropindex.html",
)
