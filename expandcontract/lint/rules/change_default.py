"""A default is changed."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AlterColumn, ColumnChange


def check(action: AlterColumn, scene: Scene) -> Iterator[Problem]:
    if action.change in (ColumnChange.SET_DEFAULT, ColumnChange.DROP_DEFAULT) and scene.is_live(action.table):
        yield Problem(
            f"INSERTs of running code that leave out {action.table}.{action.column} store something else from now on"
        )


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A default is changed",
    on=(AlterColumn,),
    check=check,
    why="Old and new code run side by side; both get the new default.",
    instead="Let the code give the value where it matters; drop a default in contract only.",
    bad=Example(
        "ALTER TABLE users ALTER COLUMN name SET DEFAULT ''",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
