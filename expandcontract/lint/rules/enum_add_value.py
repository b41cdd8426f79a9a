"""A value is added to an enum in use."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import AddEnumValue


def check(action: AddEnumValue, scene: Scene) -> Iterator[Problem]:
    if scene.is_live_object("type", action.type):
        yield Problem(f"code that runs now doesn't know '{action.value}' and may fail when it reads it")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A value is added to an enum in use",
    on=(AddEnumValue,),
    check=check,
    why="Old code meets the new label as soon as new code writes it.",
    instead="Let code that knows the value run everywhere before anything writes it.",
    bad=Example("ALTER TYPE mood ADD VALUE 'fair' AFTER 'low'", schema="CREATE TYPE mood AS ENUM ('low', 'high')"),
    good=Example("CREATE TYPE feeling AS ENUM ('low')", schema="CREATE TYPE mood AS ENUM ('low', 'high')"),
    manual="https://www.postgresql.org/docs/current/sql-altertype.html",
)
