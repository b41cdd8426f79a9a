"""A column is added with a default that differs from row to row."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.server.volatility import volatile_functions
from expandcontract.lint.statement import AddColumn


def check(action: AddColumn, scene: Scene) -> Iterator[Problem]:
    column = action.column
    if not scene.is_live(action.table) or not scene.effects.rewrites or column.default is None:
        return
    called = volatile_functions(column.default, scene.schema, scene.version)
    if called:
        yield Problem(
            f"{called[0]}() gives every row of {action.table} a value of its own, so the whole table is written anew",
            f"ADD COLUMN {column.name} {column.type}, then ALTER COLUMN {column.name} SET DEFAULT "
            f"{called[0]}(), "
            "then backfill the rows that exist",
        )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A column is added with a default that differs from row to row",
    on=(AddColumn,),
    check=check,
    why=(
        "A volatile default must be worked out for each row: the table is rewritten under ACCESS "
        "EXCLUSIVE. A function that is not known here counts as volatile."
    ),
    instead=("Add the column without a default, ALTER COLUMN … SET DEFAULT, then backfill the rows that exist."),
    bad=Example(
        "ALTER TABLE users ADD COLUMN joined timestamptz DEFAULT clock_timestamp()",
        schema="CREATE TABLE users (id bigint PRIMARY KEY)",
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN joined timestamptz DEFAULT now()",
        schema="CREATE TABLE users (id bigint PRIMARY KEY)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("rewrite",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
