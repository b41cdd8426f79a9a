"""CLUSTER rewrites a table."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.identifier import listed
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Maintain


def check(action: Maintain, scene: Scene) -> Iterator[Problem]:
    if action.verb != "cluster" or not any(scene.is_live(table) for table in action.tables or ("",)):
        return
    yield Problem(f"CLUSTER writes {listed(action.tables) or 'every clustered table'} anew while nobody can use it")


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="CLUSTER rewrites a table",
    on=(Maintain,),
    check=check,
    why="The table and its indexes are rewritten under ACCESS EXCLUSIVE.",
    instead=("pg_repack, which reorders a table while it is used; from PostgreSQL 19 REPACK (CONCURRENTLY)."),
    bad=Example("CLUSTER users USING users_pkey", schema="CREATE TABLE users (id bigint PRIMARY KEY)"),
    good=Example("ALTER TABLE users CLUSTER ON users_pkey", schema="CREATE TABLE users (id bigint PRIMARY KEY)"),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("rewrite",)),),
    manual="https://www.postgresql.org/docs/current/sql-cluster.html",
)
