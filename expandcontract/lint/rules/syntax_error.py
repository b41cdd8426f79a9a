"""A statement can't be parsed."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import Broken


def check(action: Broken, scene: Scene) -> Iterator[Problem]:
    yield Problem(f"PostgreSQL's parser says: {action.message}")


RULE = Rule(
    hazard=Hazard.ANALYSIS,
    title="A statement can't be parsed",
    on=(Broken,),
    check=check,
    why=(
        "Nothing is known about this statement; the others were judged. What it does to the "
        "schema is missing from the picture."
    ),
    instead=("Mend it. Placeholders, psql commands and syntax newer than PostgreSQL 18 can't be read."),
    bad=Example(
        "ALTER TABLE users ADD COLUM",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    manual="https://www.postgresql.org/docs/current/sql.html",
    severity=Severity.ERROR,
)
