"""A column becomes NOT NULL by a proof."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import AlterColumn, ColumnChange


def check(action: AlterColumn, scene: Scene) -> Iterator[Problem]:
    if action.change is ColumnChange.SET_NOT_NULL and scene.is_live(action.table) and not scene.effects.scans:
        if not scene.schema.column_not_null(action.table, action.column):
            yield Problem(
                f"INSERTs that leave out {action.table}.{action.column} fail from now on, if the CHECK let them through"
            )


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A column becomes NOT NULL by a proof",
    on=(AlterColumn,),
    check=check,
    why=("The CHECK that proves it has rejected NULLs already, so nothing changes for running code."),
    instead="Drop the CHECK afterwards; it says nothing more.",
    bad=Example(
        "ALTER TABLE users ALTER COLUMN email SET NOT NULL",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, email text, CONSTRAINT given CHECK (email IS NOT NULL))",
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, email text, CONSTRAINT given CHECK (email IS NOT NULL))",
    ),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
