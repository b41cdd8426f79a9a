"""A publication or subscription is changed."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import ChangePublication


def check(action: ChangePublication, scene: Scene) -> Iterator[Problem]:
    if not action.created:
        yield Problem(f"what subscribers of {action.name} get changes from now on")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A publication or subscription is changed",
    on=(ChangePublication,),
    check=check,
    why="Subscribers get more or fewer tables; a new one must be copied there first.",
    instead="Change publisher and subscriber together, in a change of its own.",
    bad=Example(
        "ALTER PUBLICATION feed ADD TABLE users",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE PUBLICATION feed",
    ),
    good=Example(
        "CREATE PUBLICATION feed_2 FOR TABLE users",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE PUBLICATION feed",
    ),
    effects=(Effect("10-18", {"users": Lock.SHARE_UPDATE_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-alterpublication.html",
)
