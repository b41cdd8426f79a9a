"""lock_timeout is set after the statements that need it."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import SetVariable
from expandcontract.lint.timeouts import duration


def check(action: SetVariable, scene: Scene) -> Iterator[Problem]:
    if (
        action.name != "lock_timeout"
        or action.reset
        or scene.guarantees.lock_timeout
        or "lock_timeout" in scene.settings
    ):
        return
    if scene.first_blocked and duration(action.value):
        yield Problem(f"{scene.first_blocked} was locked before; this lock_timeout comes too late for it")


RULE = Rule(
    hazard=Hazard.TRANSACTION,
    title="lock_timeout is set after the statements that need it",
    on=(SetVariable,),
    check=check,
    why="A time-out holds for the statements that follow.",
    instead="SET lock_timeout as the first statement.",
    bad=Example(
        "ALTER TABLE users ADD COLUMN tier text; SET lock_timeout = '2s'",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "SET lock_timeout = '2s'; ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/runtime-config-client.html",
)
