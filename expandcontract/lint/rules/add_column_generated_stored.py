"""A stored generated column is added."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddColumn


def check(action: AddColumn, scene: Scene) -> Iterator[Problem]:
    if action.column.generated == "stored" and scene.is_live(action.table) and scene.effects.rewrites:
        yield Problem(f"{action.column.name} is computed and stored for every row: {action.table} is written anew")


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A stored generated column is added",
    on=(AddColumn,),
    check=check,
    why=("The expression is worked out and stored for every existing row, under ACCESS EXCLUSIVE."),
    instead=(
        "A plain column with a Sync and a Backfill; on PostgreSQL 18 also a VIRTUAL generated "
        "column, which stores nothing."
    ),
    bad=Example(
        "ALTER TABLE users ADD COLUMN key text GENERATED ALWAYS AS (lower(email)) STORED",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, email text)",
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN key text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, email text)",
    ),
    effects=(Effect("12-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("rewrite",)),),
    manual="https://www.postgresql.org/docs/current/ddl-generated-columns.html",
)
