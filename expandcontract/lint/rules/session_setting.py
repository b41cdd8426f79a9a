"""A setting outlives the revision."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import SetVariable


def check(action: SetVariable, scene: Scene) -> Iterator[Problem]:
    if not action.local and not action.reset and action.name not in ("lock_timeout", "statement_timeout"):
        yield Problem(f"{action.name} stays set for whatever else this connection runs")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A setting outlives the revision",
    on=(SetVariable,),
    check=check,
    why="SET without LOCAL lasts for the session, so the next revision runs with it.",
    instead="SET LOCAL.",
    bad=Example("SET work_mem = '1GB'"),
    good=Example("SET LOCAL work_mem = '1GB'"),
    manual="https://www.postgresql.org/docs/current/sql-set.html",
)
