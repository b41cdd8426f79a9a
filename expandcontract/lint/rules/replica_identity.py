"""The replica identity is changed."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AlterRelation, TableChange


def check(action: AlterRelation, scene: Scene) -> Iterator[Problem]:
    if action.change is TableChange.REPLICA_IDENTITY and scene.is_live(action.table):
        yield Problem(
            f"subscribers of {action.table} get other old rows from now on, and updates fail where none is left"
        )


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="The replica identity is changed",
    on=(AlterRelation,),
    check=check,
    why=(
        "Logical replication and change capture identify rows by it; without one, UPDATE and "
        "DELETE on a published table fail."
    ),
    instead="Change it when every subscriber is ready for it, in a change of its own.",
    bad=Example(
        "ALTER TABLE users REPLICA IDENTITY FULL",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "CREATE TABLE people (id bigint PRIMARY KEY); ALTER TABLE people REPLICA IDENTITY FULL",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
    in_contract=Severity.ERROR,
)
