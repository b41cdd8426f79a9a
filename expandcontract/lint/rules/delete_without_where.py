"""A DELETE has no WHERE that limits it."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rows import touches_every_row
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import BOOKKEEPING, Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Write


def check(action: Write, scene: Scene) -> Iterator[Problem]:
    if action.verb != "delete" or action.table == BOOKKEEPING or not scene.is_live(action.table):
        return
    if touches_every_row(action):
        yield Problem(
            f"every row of {action.table} is deleted in one transaction, and stays locked until it ends",
            f"a Backfill of {action.table}, which works in ranges of its key",
        )


RULE = Rule(
    hazard=Hazard.DESTRUCTIVE,
    title="A DELETE has no WHERE that limits it",
    on=(Write,),
    check=check,
    why=(
        "One transaction touches every row: row locks, bloat and replication lag grow with the "
        "table. What is gone is gone."
    ),
    instead="A Backfill: ranges of the key, a short transaction each, throttled.",
    bad=Example("DELETE FROM users", schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)"),
    good=Example(
        "DELETE FROM users WHERE id BETWEEN 1 AND 1000",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ROW_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-delete.html",
    in_contract=Severity.ERROR,
)
