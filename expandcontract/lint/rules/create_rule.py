"""A rewrite rule is created."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import CreateRule


def check(action: CreateRule, scene: Scene) -> Iterator[Problem]:
    if scene.is_live(action.table):
        yield Problem(f"the rule {action.name} rewrites the statements that running code sends to {action.table}")


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="A rewrite rule is created",
    on=(CreateRule,),
    check=check,
    why=("A rule changes what the statements of running code do, and how many rows they report."),
    instead="A trigger, which leaves the statement as it is.",
    bad=Example(
        "CREATE RULE keep AS ON DELETE TO users DO INSTEAD NOTHING",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "CREATE VIEW people AS SELECT id FROM users",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-createrule.html",
)
