"""A statement outside a transaction can't be run again."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import (
    AddColumn,
    CreateIndex,
    CreateTable,
    Drop,
    DropColumn,
    DropConstraint,
)


def check(
    action: CreateTable | CreateIndex | AddColumn | DropColumn | DropConstraint | Drop, scene: Scene
) -> Iterator[Problem]:
    if scene.in_transaction:
        return  # it is undone as a whole, and run again as a whole
    creates = isinstance(action, CreateTable | CreateIndex | AddColumn)
    guarded = action.if_not_exists if isinstance(action, CreateTable | CreateIndex | AddColumn) else action.if_exists
    if not guarded:
        yield Problem(f"run again after a later failure, this fails: it lacks IF {'NOT ' if creates else ''}EXISTS")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A statement outside a transaction can't be run again",
    on=(
        CreateTable,
        CreateIndex,
        AddColumn,
        DropColumn,
        DropConstraint,
        Drop,
    ),
    check=check,
    why=("Without a transaction a failure leaves the first statements done; running the text again stops at them."),
    instead=(
        "IF EXISTS or IF NOT EXISTS. An index that was left INVALID must be dropped first; ec's runner does that."
    ),
    bad=Example(
        "ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
        in_transaction=False,
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN IF NOT EXISTS tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
        in_transaction=False,
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
