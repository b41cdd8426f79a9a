"""A table gets another access method."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AlterRelation, TableChange


def check(action: AlterRelation, scene: Scene) -> Iterator[Problem]:
    if action.change is TableChange.SET_ACCESS_METHOD and scene.effects.rewrites and scene.is_live(action.table):
        yield Problem(f"all of {action.table} is copied to change the access method, and nobody can use it meanwhile")


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A table gets another access method",
    on=(AlterRelation,),
    check=check,
    why="The whole relation is copied under ACCESS EXCLUSIVE.",
    instead=("A new table with that access method, with the rows moved by a Sync and a Backfill."),
    bad=Example("ALTER TABLE users SET ACCESS METHOD columnar", schema="CREATE TABLE users (id bigint PRIMARY KEY)"),
    good=Example(
        "CREATE TABLE users_2 (id bigint PRIMARY KEY) USING columnar",
        schema="CREATE TABLE users (id bigint PRIMARY KEY)",
    ),
    effects=(Effect("15-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("rewrite",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
