"""A transaction is begun and never ended."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Transaction


def check(action: Transaction, scene: Scene) -> Iterator[Problem]:
    if action.verb != "begin" or scene.in_transaction:
        return
    ends = ("commit", "rollback", "prepare")
    later = (each for statement in scene.later for each in statement.actions)
    if not any(isinstance(each, Transaction) and each.verb in ends for each in later):
        yield Problem(
            "this transaction is never committed: its changes vanish, or its locks stay until the connection ends"
        )


RULE = Rule(
    hazard=Hazard.TRANSACTION,
    title="A transaction is begun and never ended",
    on=(Transaction,),
    check=check,
    why=("The changes are rolled back when the connection closes, and until then every lock is held."),
    instead="COMMIT at the end; or leave BEGIN and COMMIT to the runner.",
    bad=Example(
        "BEGIN; ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
        in_transaction=False,
    ),
    good=Example(
        "BEGIN; ALTER TABLE users ADD COLUMN tier text; COMMIT",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
        in_transaction=False,
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-begin.html",
)
