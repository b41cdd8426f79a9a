"""One transaction locks several tables."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.identifier import listed
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Action


def check(action: Action, scene: Scene) -> Iterator[Problem]:
    if action is not scene.statement.actions[0] or not scene.exclusive:
        return
    added = sorted(name for name in scene.exclusively_locked(scene.locks) if name not in scene.exclusive)
    if added:
        yield Problem(
            f"{listed(scene.exclusive)} stays locked while this waits for {listed(added)}",
            "one transaction per table: a part of its own for each",
        )


RULE = Rule(
    hazard=Hazard.TRANSACTION,
    title="One transaction locks several tables",
    on=(Action,),
    check=check,
    why=(
        "The first table stays locked while the statement waits for the second; with code that "
        "takes them in the other order it deadlocks."
    ),
    instead="A part of its own for each table.",
    bad=Example(
        "ALTER TABLE users ADD COLUMN tier text; ALTER TABLE orders ADD COLUMN tier text",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE TABLE orders (id "
            "bigint PRIMARY KEY)"
        ),
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN tier text",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE TABLE orders (id "
            "bigint PRIMARY KEY)"
        ),
    ),
    effects=(Effect("10-18", {"orders": Lock.ACCESS_EXCLUSIVE, "users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/explicit-locking.html",
)
