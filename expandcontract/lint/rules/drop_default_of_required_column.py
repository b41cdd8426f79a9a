"""A NOT NULL column loses its default."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AlterColumn, ColumnChange


def check(action: AlterColumn, scene: Scene) -> Iterator[Problem]:
    dropped = action.change in (ColumnChange.DROP_DEFAULT, ColumnChange.DROP_IDENTITY)
    nulled = action.change is ColumnChange.SET_DEFAULT and action.expression is not None and action.expression.is_null
    known = scene.schema.column(action.table, action.column)
    if (dropped or nulled) and known and known.not_null and known.has_default and scene.is_live(action.table):
        yield Problem(f"INSERTs that leave out {action.table}.{action.column} fail from that moment on")


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="A NOT NULL column loses its default",
    on=(AlterColumn,),
    check=check,
    why="Running code may leave the column out of its INSERTs and rely on the default.",
    instead="Keep the default until contract, when every release gives a value.",
    bad=Example(
        "ALTER TABLE users ALTER COLUMN tier DROP DEFAULT",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, tier text NOT NULL DEFAULT 'none')",
    ),
    good=Example(
        "ALTER TABLE users ALTER COLUMN tier SET DEFAULT 'free'",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, tier text NOT NULL DEFAULT 'none')",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
