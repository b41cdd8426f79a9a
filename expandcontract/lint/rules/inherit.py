"""Table inheritance is changed."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AlterRelation, TableChange


def check(action: AlterRelation, scene: Scene) -> Iterator[Problem]:
    if action.change in (TableChange.INHERIT, TableChange.NO_INHERIT) and scene.is_live(action.table):
        yield Problem(f"queries on {action.argument} see other rows from now on")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="Table inheritance is changed",
    on=(AlterRelation,),
    check=check,
    why="Queries on the parent include the rows of its children.",
    instead="Partitioning, or separate tables.",
    bad=Example(
        "ALTER TABLE users INHERIT people",
        schema=("CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE TABLE people (id bigint)"),
    ),
    good=Example(
        "CREATE TABLE clients (id bigint PRIMARY KEY)",
        schema=("CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE TABLE people (id bigint)"),
    ),
    effects=(Effect("10-18", {"people": Lock.SHARE_UPDATE_EXCLUSIVE, "users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
