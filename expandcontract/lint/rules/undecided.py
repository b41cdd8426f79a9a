"""A generated revision asks a question."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import NotAnalysed


def check(action: NotAnalysed, scene: Scene) -> Iterator[Problem]:
    yield from ()  # found where the comments are read


RULE = Rule(
    hazard=Hazard.ANALYSIS,
    severity=Severity.ERROR,
    title="A generated revision asks a question",
    on=(NotAnalysed,),
    check=check,
    why=(
        "ec revision --autogenerate couldn't tell for certain what old and new code need here, "
        "so it wrote the operation into the expand, or a value into the file, and asks."
    ),
    instead="Answer it by what you write, and delete the comment that begins with ec:undecided.",
    bad=Example(
        """-- ec:undecided: users.tier is NOT NULL: what do rows hold that old code writes? Here it is ''
ALTER TABLE users ADD COLUMN tier text NOT NULL DEFAULT ''""",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN tier text NOT NULL DEFAULT 'free'",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
