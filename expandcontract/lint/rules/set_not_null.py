"""A column becomes NOT NULL by a proof."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AlterColumn, ColumnChange


def check(action: AlterColumn, scene: Scene) -> Iterator[Problem]:
    if action.change is not ColumnChange.SET_NOT_NULL or not scene.is_live(action.table) or scene.effects.scans:
        return
    if not scene.schema.column_not_null(action.table, action.column):
        yield Problem(f"the CHECK that proves it says nothing more about {action.table}.{action.column}")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A column becomes NOT NULL by a proof",
    on=(AlterColumn,),
    check=check,
    why=("The CHECK that proves it has rejected NULLs already, so nothing changes for running code."),
    instead="Drop the CHECK afterwards; it says nothing more.",
    bad=Example(
        "ALTER TABLE users ALTER COLUMN email SET NOT NULL",
        schema=("CREATE TABLE users (id bigint PRIMARY KEY, email text, CONSTRAINT given CHECK (email IS NOT NULL))"),
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN tier text",
        schema=("CREATE TABLE users (id bigint PRIMARY KEY, email text, CONSTRAINT given CHECK (email IS NOT NULL))"),
    ),
    effects=(
        Effect("10-11", {"users": Lock.ACCESS_EXCLUSIVE}, ("scan",)),
        Effect("12-18", {"users": Lock.ACCESS_EXCLUSIVE}),
    ),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
