"""The expression of a stored generated column is changed."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AlterColumn, ColumnChange


def check(action: AlterColumn, scene: Scene) -> Iterator[Problem]:
    if action.change is ColumnChange.SET_EXPRESSION and scene.is_live(action.table) and scene.effects.rewrites:
        yield Problem(f"{action.column} is worked out again for every row: {action.table} is written anew")


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="The expression of a stored generated column is changed",
    on=(AlterColumn,),
    check=check,
    why=("SET EXPRESSION, new in PostgreSQL 17, rewrites the table under ACCESS EXCLUSIVE."),
    instead="A new column with a Sync and a Backfill; the old one goes in contract.",
    bad=Example(
        "ALTER TABLE orders ALTER COLUMN gross SET EXPRESSION AS (net * 1.25)",
        schema="CREATE TABLE orders (net numeric, gross numeric GENERATED ALWAYS AS (net * 1.2) STORED)",
        version=18,
    ),
    good=Example(
        "ALTER TABLE orders ADD COLUMN gross_2 numeric",
        schema="CREATE TABLE orders (net numeric, gross numeric GENERATED ALWAYS AS (net * 1.2) STORED)",
        version=18,
    ),
    effects=(Effect("17-18", {"orders": Lock.ACCESS_EXCLUSIVE}, ("rewrite",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
