"""A new enum value is used in the transaction that adds it."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.expression import Expression
from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import Action


def check(action: Action, scene: Scene) -> Iterator[Problem]:
    added = scene.added_values
    if not added or action is not scene.statement.actions[0]:
        return
    for value in sorted(set(added) & Expression(scene.statement.tree).strings()):
        if scene.version < 17 or scene.is_live_object("type", added[value]):
            yield Problem(
                f"'{value}' was added to {added[value]} in this transaction and can't be used before it commits"
            )


RULE = Rule(
    hazard=Hazard.FAILURE,
    title="A new enum value is used in the transaction that adds it",
    on=(Action,),
    check=check,
    why=(
        "A value becomes usable when its transaction commits. Only PostgreSQL 17 and newer make "
        "an exception, for a type made in the same transaction."
    ),
    instead="Add the value in one part, use it in the next.",
    bad=Example(
        "ALTER TYPE mood ADD VALUE 'high'; UPDATE users SET mood = 'high' WHERE id = 1",
        schema="CREATE TYPE mood AS ENUM ('low'); CREATE TABLE users (id bigint PRIMARY KEY, mood mood)",
    ),
    good=Example(
        "ALTER TYPE mood ADD VALUE 'high'",
        schema="CREATE TYPE mood AS ENUM ('low'); CREATE TABLE users (id bigint PRIMARY KEY, mood mood)",
    ),
    manual="https://www.postgresql.org/docs/current/sql-altertype.html",
)
