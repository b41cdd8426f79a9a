"""A column is added with a default on a server that stores it in every row."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.columns import column_is_rewritten, default_is_volatile
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddColumn


def check(action: AddColumn, scene: Scene) -> Iterator[Problem]:
    default = action.column.default
    if scene.version >= 11 or default is None or default.is_null or default_is_volatile(action, scene.server):
        return
    if scene.is_live(action.table) and column_is_rewritten(action, scene.server):
        yield Problem(
            f"PostgreSQL {scene.version} writes every row of {action.table} anew to store the default "
            f"of {action.column.name}"
        )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A column is added with a default on a server that stores it in every row",
    on=(AddColumn,),
    check=check,
    why=("Before PostgreSQL 11 a default is written into every existing row, under ACCESS EXCLUSIVE."),
    instead=("Add the column without a default, ALTER COLUMN … SET DEFAULT, then backfill the rows that exist."),
    bad=Example(
        "ALTER TABLE users ADD COLUMN tier text DEFAULT 'free'",
        schema="CREATE TABLE users (id bigint PRIMARY KEY)",
        version=10,
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY)",
        version=10,
    ),
    effects=(
        Effect("10", {"users": Lock.ACCESS_EXCLUSIVE}, ("rewrite",)),
        Effect("11-18", {"users": Lock.ACCESS_EXCLUSIVE}),
    ),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
