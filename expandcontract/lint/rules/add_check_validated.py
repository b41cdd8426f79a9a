"""A CHECK is added and validated at once."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddConstraint, ConstraintKind


def check(action: AddConstraint, scene: Scene) -> Iterator[Problem]:
    constraint = action.constraint
    if constraint.kind is not ConstraintKind.CHECK or not constraint.valid or not constraint.enforced:
        return
    if scene.is_live(action.table):
        name = constraint.name or "<name>"
        yield Problem(
            f"nobody can read or write {action.table} while PostgreSQL checks every row",
            f"ADD CONSTRAINT {name} CHECK (…) NOT VALID, then in another transaction "
            f"ALTER TABLE {action.table} VALIDATE CONSTRAINT {name}",
        )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A CHECK is added and validated at once",
    on=(AddConstraint,),
    check=check,
    why="ADD CHECK reads the whole table under ACCESS EXCLUSIVE.",
    instead="ADD CONSTRAINT … NOT VALID, and VALIDATE CONSTRAINT in another transaction.",
    bad=Example(
        "ALTER TABLE users ADD CONSTRAINT adult CHECK (age >= 18)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, age integer)",
    ),
    good=Example(
        "ALTER TABLE users ADD CONSTRAINT adult CHECK (age >= 18) NOT VALID",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, age integer)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("scan",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
