"""Rows are written while DDL holds its lock."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import BLOCKING, BOOKKEEPING, Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Write


def check(action: Write, scene: Scene) -> Iterator[Problem]:
    held = [table for table, mode in scene.held.items() if mode >= BLOCKING]
    if held and action.table != BOOKKEEPING and scene.is_live(action.table):
        yield Problem(
            f"{held[0]} stays locked by the DDL before while rows of {action.table} are written",
            "DDL in one part, data in another; many rows belong into a Backfill",
        )


RULE = Rule(
    hazard=Hazard.TRANSACTION,
    title="Rows are written while DDL holds its lock",
    on=(Write,),
    check=check,
    why=("The lock of the DDL is kept until the rows are written and the transaction ends."),
    instead="DDL in one part, data in another; many rows belong into a Backfill.",
    bad=Example(
        "ALTER TABLE users ADD COLUMN tier text; UPDATE users SET tier = 'free' WHERE id = 1",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "UPDATE users SET tier = 'free' WHERE id = 1",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text, tier text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/explicit-locking.html",
)
