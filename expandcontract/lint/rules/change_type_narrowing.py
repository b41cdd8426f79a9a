"""A type change may not fit the data."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.columns import narrows
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import ChangeType


def check(action: ChangeType, scene: Scene) -> Iterator[Problem]:
    known = scene.schema.column(action.table, action.column)
    if known and scene.is_live(action.table) and narrows(known.type, action, scene.server):
        yield Problem(f"{known.type} to {action.type}: a value that doesn't fit makes it fail, or is cut off")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A type change may not fit the data",
    on=(ChangeType,),
    check=check,
    why="A shorter type rejects values that are stored, after reading them all.",
    instead=("Look for values that don't fit first; better a new column with a Sync and a Backfill."),
    bad=Example(
        "ALTER TABLE users ALTER COLUMN name TYPE varchar(10)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users ALTER COLUMN name TYPE varchar",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("rewrite",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
