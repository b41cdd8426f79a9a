"""A column is added together with a CHECK."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddColumn, ConstraintKind


def check(action: AddColumn, scene: Scene) -> Iterator[Problem]:
    if not scene.is_live(action.table) or scene.schema.column(action.table, action.column.name):
        return
    for constraint in action.column.constraints:
        if constraint.kind is ConstraintKind.CHECK and constraint.enforced:
            yield Problem(f"PostgreSQL reads all of {action.table} to check the new column {action.column.name}")


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A column is added together with a CHECK",
    on=(AddColumn,),
    check=check,
    why=(
        "An inline CHECK is validated at once: the whole table is read under ACCESS EXCLUSIVE, "
        "even where the column is empty."
    ),
    instead=("Add the column; ADD CONSTRAINT … CHECK (…) NOT VALID; VALIDATE CONSTRAINT in another transaction."),
    bad=Example(
        "ALTER TABLE users ADD COLUMN age integer CHECK (age > 0)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY)",
    ),
    good=Example("ALTER TABLE users ADD COLUMN age integer", schema="CREATE TABLE users (id bigint PRIMARY KEY)"),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("scan",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
