"""Triggers are switched off."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AlterRelation, SetVariable, TableChange


def check(action: AlterRelation | SetVariable, scene: Scene) -> Iterator[Problem]:
    if isinstance(action, SetVariable):
        if action.name == "session_replication_role" and (action.value or "").lower() == "replica":
            yield Problem("ordinary triggers no longer fire in this session, sync triggers and foreign keys included")
    elif action.change in (TableChange.DISABLE_TRIGGER, TableChange.DISABLE_RULE) and scene.is_live(action.table):
        name = action.argument or "every trigger"
        yield Problem(f"{name} on {action.table} stops for everybody: what it kept right goes wrong unnoticed")


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="Triggers are switched off",
    on=(
        AlterRelation,
        SetVariable,
    ),
    check=check,
    why=("For as long as a trigger is off, the other shape of the data goes stale, and foreign keys go unchecked."),
    instead="Leave them on; let a Backfill write what the trigger would have written.",
    bad=Example(
        "ALTER TABLE users DISABLE TRIGGER ALL",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users ENABLE TRIGGER ALL",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.SHARE_ROW_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
    in_contract=Severity.ERROR,
)
