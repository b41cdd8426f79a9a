"""A NOT NULL constraint is added and validated at once."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddConstraint, ConstraintKind


def check(action: AddConstraint, scene: Scene) -> Iterator[Problem]:
    constraint = action.constraint
    if constraint.kind is not ConstraintKind.NOT_NULL or not constraint.valid:
        return
    if scene.is_live(action.table) and (scene.effects.scans or scene.version < 18):
        yield Problem(
            f"nobody can read or write {action.table} while PostgreSQL looks for a NULL in {constraint.columns[0]}"
        )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A NOT NULL constraint is added and validated at once",
    on=(AddConstraint,),
    check=check,
    why=("ADD CONSTRAINT … NOT NULL, new in PostgreSQL 18, reads the whole table under ACCESS EXCLUSIVE."),
    instead=("ADD CONSTRAINT … NOT NULL … NOT VALID, and VALIDATE CONSTRAINT in another transaction."),
    bad=Example(
        "ALTER TABLE users ADD CONSTRAINT email_given NOT NULL email",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, email text)",
        version=18,
    ),
    good=Example(
        "ALTER TABLE users ADD CONSTRAINT email_given NOT NULL email NOT VALID",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, email text)",
        version=18,
    ),
    effects=(Effect("18", {"users": Lock.ACCESS_EXCLUSIVE}, ("scan",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
