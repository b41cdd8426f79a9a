"""Something could not be looked into."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import NotAnalysed


def check(action: NotAnalysed, scene: Scene) -> Iterator[Problem]:
    yield Problem(f"not looked into: {action.what}")


RULE = Rule(
    hazard=Hazard.ANALYSIS,
    title="Something could not be looked into",
    on=(NotAnalysed,),
    check=check,
    why="Whatever stands there was not judged, and may be anything.",
    instead=("Plain SQL where it can be; otherwise read it yourself and accept this finding with a reason."),
    bad=Example(
        "DO LANGUAGE plpython3u 'pass'",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    manual="https://www.postgresql.org/docs/current/sql-do.html",
)
