"""An enum type is created."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import CreateType


def check(action: CreateType, scene: Scene) -> Iterator[Problem]:
    if action.values is not None:
        yield Problem(
            f"a value of {action.name} can never be removed, and a new one can't be used in the "
            "transaction that adds it"
        )


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="An enum type is created",
    on=(CreateType,),
    check=check,
    why="Values can be added, but neither removed nor reordered.",
    instead="A lookup table, or text with a CHECK.",
    bad=Example("CREATE TYPE mood AS ENUM ('low', 'high')"),
    good=Example("CREATE TABLE moods (name text PRIMARY KEY)"),
    manual="https://www.postgresql.org/docs/current/datatype-enum.html",
)
