"""A relation is moved to another tablespace."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AlterRelation, TableChange


def check(action: AlterRelation, scene: Scene) -> Iterator[Problem]:
    if action.change is TableChange.SET_TABLESPACE and scene.effects.rewrites and scene.is_live(action.table):
        yield Problem(f"all of {action.table} is copied to change the tablespace, and nobody can use it meanwhile")


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A relation is moved to another tablespace",
    on=(AlterRelation,),
    check=check,
    why="The whole relation is copied under ACCESS EXCLUSIVE.",
    instead=("pg_repack, which moves a table while it is used; for an index a new one built CONCURRENTLY there."),
    bad=Example("ALTER TABLE users SET TABLESPACE fast", schema="CREATE TABLE users (id bigint PRIMARY KEY)"),
    good=Example(
        "CREATE INDEX CONCURRENTLY users_id ON users (id) TABLESPACE fast",
        schema="CREATE TABLE users (id bigint PRIMARY KEY)",
        in_transaction=False,
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("rewrite",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
