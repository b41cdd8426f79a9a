"""Something slow runs while a table is locked."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import BOOKKEEPING, Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Action, CreateTable


def check(action: Action, scene: Scene) -> Iterator[Problem]:
    if not scene.exclusive or not scene.effects.is_slow or isinstance(action, CreateTable):
        return
    touched = set(scene.effects.locks) | scene.effects.rewrites
    if any(scene.is_live(name) and name != BOOKKEEPING for name in touched):
        yield Problem(
            f"{next(iter(scene.exclusive))} can be neither read nor written while this runs: an earlier "
            "statement of the same transaction locked it",
            "a part of its own for the statement that takes long",
        )


RULE = Rule(
    hazard=Hazard.TRANSACTION,
    title="Something slow runs while a table is locked",
    on=(Action,),
    check=check,
    why=("A lock is held until the transaction ends. Whatever takes time after it makes everybody wait for that time."),
    instead=("Quick DDL alone in its transaction; reads, writes and validations in parts of their own."),
    bad=Example(
        "ALTER TABLE users ADD COLUMN tier text; SELECT count(*) FROM users",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/explicit-locking.html",
)
