"""An accept has expired."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import NotAnalysed


def check(action: NotAnalysed, scene: Scene) -> Iterator[Problem]:
    yield from ()  # found where the accepts are read


RULE = Rule(
    hazard=Hazard.ANALYSIS,
    title="An accept has expired",
    on=(NotAnalysed,),
    check=check,
    why="It was meant to hold until its date; the finding is reported again.",
    instead="Mend the statement, or renew the date with a reason.",
    bad=Example(
        """-- ec:accept drop-table until 2020-01-01: long ago
DROP TABLE users""",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        """-- ec:accept drop-table: nobody has used it since the move
DROP TABLE users""",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    manual="https://www.postgresql.org/docs/current/sql-syntax-lexical.html",
)
