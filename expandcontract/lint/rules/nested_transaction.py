"""A transaction is begun inside another."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Transaction


def check(action: Transaction, scene: Scene) -> Iterator[Problem]:
    if action.verb == "begin" and scene.in_transaction and action is scene.statement.actions[0]:
        yield Problem("a transaction is open already; this BEGIN does nothing, and the next COMMIT ends both")


RULE = Rule(
    hazard=Hazard.TRANSACTION,
    title="A transaction is begun inside another",
    on=(Transaction,),
    check=check,
    why=("PostgreSQL has no nested transactions: BEGIN only warns, and the first COMMIT ends everything."),
    instead="Leave BEGIN and COMMIT to the runner; SAVEPOINT where a part may fail.",
    bad=Example(
        "BEGIN; ALTER TABLE users ADD COLUMN tier text; COMMIT",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-begin.html",
)
