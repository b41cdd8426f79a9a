"""An enum value is added without a place."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import AddEnumValue


def check(action: AddEnumValue, scene: Scene) -> Iterator[Problem]:
    if not action.positioned:
        yield Problem(f"'{action.value}' sorts after every other value of {action.type}; values can't be moved later")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="An enum value is added without a place",
    on=(AddEnumValue,),
    check=check,
    why="The order of values is the order of comparisons, and can't be changed.",
    instead="ADD VALUE … BEFORE or AFTER.",
    bad=Example("ALTER TYPE mood ADD VALUE 'fair'", schema="CREATE TYPE mood AS ENUM ('low', 'high')"),
    good=Example("ALTER TYPE mood ADD VALUE 'fair' AFTER 'low'", schema="CREATE TYPE mood AS ENUM ('low', 'high')"),
    manual="https://www.postgresql.org/docs/current/sql-altertype.html",
)
