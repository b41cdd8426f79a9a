"""A statement that locks has no statement_timeout."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.identifier import listed
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import BLOCKING, Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Action


def check(action: Action, scene: Scene) -> Iterator[Problem]:
    if scene.guarantees.statement_timeout or "statement_timeout" in scene.settings:
        return
    if scene.first_blocked is None and any(mode >= BLOCKING for mode in scene.locks.values()):  # said once
        yield Problem(f"if this takes long, {listed(sorted(scene.locks))} stays locked until somebody notices")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A statement that locks has no statement_timeout",
    on=(Action,),
    check=check,
    why="A time-out ends a statement that turns out to be slow, and gives its lock back.",
    instead="SET statement_timeout = '15s' before it.",
    bad=Example(
        "ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "SET statement_timeout = '15s'; ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/runtime-config-client.html",
)
