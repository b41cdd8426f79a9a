"""lock_timeout is switched off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import SetVariable
from expandcontract.lint.timeouts import duration


def check(action: SetVariable, scene: Scene) -> Iterator[Problem]:
    if action.name == "lock_timeout" and duration(action.value) == timedelta(0) and scene.later:
        yield Problem("lock_timeout = 0 means: wait for ever; what follows may stop all traffic")


RULE = Rule(
    hazard=Hazard.TRANSACTION,
    title="lock_timeout is switched off",
    on=(SetVariable,),
    check=check,
    why=("Zero means that a statement waits for its lock without end, with everybody behind it."),
    instead="SET lock_timeout = '2s', and run it again when it gives up.",
    bad=Example(
        "SET lock_timeout = 0; ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "SET lock_timeout = '2s'; ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/runtime-config-client.html",
)
