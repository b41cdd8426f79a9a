"""A constraint has no name."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddConstraint


def check(action: AddConstraint, scene: Scene) -> Iterator[Problem]:
    if action.constraint.name is None:
        yield Problem(f"PostgreSQL invents a name for this {action.constraint.kind}, which a later change has to guess")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A constraint has no name",
    on=(AddConstraint,),
    check=check,
    why="VALIDATE and DROP need the name; an invented one may differ between databases.",
    instead="ADD CONSTRAINT <name> ….",
    bad=Example(
        "ALTER TABLE users ADD CHECK (email <> '') NOT VALID",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users ADD CONSTRAINT email_given CHECK (email <> '') NOT VALID",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
