"""A column gets a type that needs other bytes."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import ChangeType


def check(action: ChangeType, scene: Scene) -> Iterator[Problem]:
    if not scene.is_live(action.table) or not scene.effects.rewrites:
        return
    known = scene.schema.column(action.table, action.column)
    reason = f"from {known.type} to {action.type}" if known else f"to {action.type}; its old type is not in the history"
    yield Problem(
        f"changing {action.table}.{action.column} {reason}: every row is written anew",
        f"a new column of type {action.type} with a Sync and a Backfill, switch the code, drop "
        f"{action.column} in contract",
    )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A column gets a type that needs other bytes",
    on=(ChangeType,),
    check=check,
    why=("The table and its indexes are rewritten under ACCESS EXCLUSIVE; nobody can read or write until it is done."),
    instead="A new column with a Sync and a Backfill; the old one goes in contract.",
    bad=Example(
        "ALTER TABLE users ALTER COLUMN visits TYPE bigint",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, visits integer, email varchar(80))",
    ),
    good=Example(
        "ALTER TABLE users ALTER COLUMN email TYPE text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, visits integer, email varchar(80))",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("rewrite",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
