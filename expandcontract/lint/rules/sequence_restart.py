"""A sequence is restarted."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import SetSequence


def check(action: SetSequence, scene: Scene) -> Iterator[Problem]:
    if action.restarted and scene.is_live_object("sequence", action.name):
        yield Problem(f"{action.name} gives numbers again that running code may have used")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A sequence is restarted",
    on=(SetSequence,),
    check=check,
    why="Numbers that exist come again and fail on the primary key, or silently repeat.",
    instead="setval() to a number above all that exist.",
    bad=Example("ALTER SEQUENCE numbers RESTART", schema="CREATE SEQUENCE numbers"),
    good=Example("CREATE SEQUENCE more_numbers", schema="CREATE SEQUENCE numbers"),
    manual="https://www.postgresql.org/docs/current/sql-altersequence.html",
)
