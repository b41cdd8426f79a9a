"""An accept gives no reason."""

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
    title="An accept gives no reason",
    on=(NotAnalysed,),
    check=check,
    why="Nobody can tell later whether it still holds.",
    instead="-- ec:accept <rule>: <reason>",
    bad=Example(
        """-- ec:accept drop-table
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
