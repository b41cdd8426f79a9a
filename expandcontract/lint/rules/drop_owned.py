"""Everything of a role is dropped."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import Drop


def check(action: Drop, scene: Scene) -> Iterator[Problem]:
    if action.kind == "owned":
        yield Problem(f"everything that belongs to {action.name} goes, whatever that is in this database")


RULE = Rule(
    hazard=Hazard.DESTRUCTIVE,
    title="Everything of a role is dropped",
    on=(Drop,),
    check=check,
    why=("DROP OWNED removes every object and privilege of a role; what that is differs from database to database."),
    instead="Name every object that goes.",
    bad=Example("DROP OWNED BY app", schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)"),
    good=Example("DROP TABLE users", schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)"),
    manual="https://www.postgresql.org/docs/current/sql-drop-owned.html",
    in_contract=Severity.ERROR,
)
