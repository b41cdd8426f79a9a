"""lock_timeout is longer than requests can wait."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import SetVariable
from expandcontract.lint.timeouts import duration

_LONGEST = timedelta(seconds=10)


def check(action: SetVariable, scene: Scene) -> Iterator[Problem]:
    chosen = duration(action.value)
    if action.name == "lock_timeout" and chosen and chosen > _LONGEST:
        yield Problem(f"lock_timeout = {action.value}: for that long every query on the table may have to wait")


RULE = Rule(
    hazard=Hazard.TRANSACTION,
    title="lock_timeout is longer than requests can wait",
    on=(SetVariable,),
    check=check,
    why=("While a statement waits for its lock, every later query on the table waits behind it."),
    instead="SET lock_timeout to a second or two, and try again instead of waiting longer.",
    bad=Example(
        "SET lock_timeout = '5min'; ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "SET lock_timeout = '2s'; ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/runtime-config-client.html",
)
