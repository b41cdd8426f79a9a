"""A column may become NULL."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AlterColumn, ColumnChange


def check(action: AlterColumn, scene: Scene) -> Iterator[Problem]:
    if action.change is not ColumnChange.DROP_NOT_NULL or not scene.is_live_column(action.table, action.column):
        return
    if (action.table, action.column) in scene.surroundings.removed:
        return  # the enabling step: new code stops writing what contract() removes
    yield Problem(f"code that expects a value in {action.table}.{action.column} may meet NULL")


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="A column may become NULL",
    on=(AlterColumn,),
    check=check,
    why="New code may write NULL where running code has never met one.",
    instead=(
        "Fine where every live release copes with NULL, or where the same change's contract() removes the column."
    ),
    bad=Example(
        "ALTER TABLE users ALTER COLUMN email DROP NOT NULL",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL)",
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN email_2 text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
