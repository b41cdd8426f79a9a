"""Rows are changed by a condition that isn't the key."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rows import is_keyed, touches_every_row
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import BOOKKEEPING, Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Write


def check(action: Write, scene: Scene) -> Iterator[Problem]:
    if action.verb not in ("update", "delete") or action.table == BOOKKEEPING or not scene.is_live(action.table):
        return
    if not touches_every_row(action) and not is_keyed(action, scene.schema):
        there_is = "the change's own Backfill" if scene.surroundings.has_backfill else "a Backfill"
        yield Problem(
            f"nothing bounds how many rows of {action.table} this touches in one transaction",
            f"{there_is} of {action.table}, which works in ranges of its key",
        )


RULE = Rule(
    hazard=Hazard.TRANSACTION,
    title="Rows are changed by a condition that isn't the key",
    on=(Write,),
    check=check,
    why=(
        "However many rows fit the condition are locked and rewritten in one transaction: bloat "
        "and replication lag grow with them."
    ),
    instead=(
        "A Backfill: ranges of the key, a short transaction each, throttled. Or a WHERE on a bounded part of the key."
    ),
    bad=Example(
        "UPDATE users SET email = '' WHERE email IS NULL",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "UPDATE users SET email = '' WHERE id BETWEEN 1 AND 1000 AND email IS NULL",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ROW_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-update.html",
)
