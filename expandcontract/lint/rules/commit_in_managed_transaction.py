"""The text ends the transaction that the runner opened."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Transaction


def check(action: Transaction, scene: Scene) -> Iterator[Problem]:
    if not scene.managed or action.verb not in ("commit", "rollback", "prepare") or not scene.in_transaction:
        return
    if not scene.began:
        yield Problem(
            "this ends the runner's own transaction: what follows runs without one, and can't be undone together"
        )


RULE = Rule(
    hazard=Hazard.TRANSACTION,
    title="The text ends the transaction that the runner opened",
    on=(Transaction,),
    check=check,
    why=("What was meant to be all or nothing is split, and the runner's own COMMIT finds no transaction."),
    instead=("Leave COMMIT to the runner; make several parts where several transactions are meant."),
    bad=Example(
        "ALTER TABLE users ADD COLUMN tier text; COMMIT",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-commit.html",
)
