"""A lock is waited for without a lock_timeout."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import BLOCKING, Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Action
from expandcontract.lint.timeouts import duration


def check(action: Action, scene: Scene) -> Iterator[Problem]:
    if scene.guarantees.lock_timeout or duration(scene.settings.get("lock_timeout")):
        return
    if "lock_timeout" in scene.settings or scene.first_blocked:
        return  # said by another rule, or said once
    table, mode = max(scene.locks.items(), key=lambda item: item[1], default=("", Lock.ACCESS_SHARE))
    if mode >= BLOCKING:
        yield Problem(f"{mode} on {table} is waited for without end, and whoever comes later waits behind it")


RULE = Rule(
    hazard=Hazard.TRANSACTION,
    title="A lock is waited for without a lock_timeout",
    on=(Action,),
    check=check,
    why=(
        "A statement that waits for its lock makes every later query on the table wait as well; "
        "one slow SELECT in front of it stops everything."
    ),
    instead="SET lock_timeout = '2s' before it, and run it again when it gives up.",
    bad=Example(
        "ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "SET lock_timeout = '2s'; ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/runtime-config-client.html",
    severity=Severity.WARNING,
)
