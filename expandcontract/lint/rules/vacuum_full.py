"""VACUUM FULL rewrites a table."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.identifier import listed
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Maintain


def check(action: Maintain, scene: Scene) -> Iterator[Problem]:
    if action.verb == "vacuum" and action.full and any(scene.is_live(table) for table in action.tables or ("",)):
        yield Problem(f"VACUUM FULL writes {listed(action.tables) or 'every table'} anew while nobody can use it")


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="VACUUM FULL rewrites a table",
    on=(Maintain,),
    check=check,
    why="The table and its indexes are rewritten under ACCESS EXCLUSIVE.",
    instead=("Plain VACUUM, which lets reads and writes go on; pg_repack where space must be given back."),
    bad=Example("VACUUM FULL users", schema="CREATE TABLE users (id bigint PRIMARY KEY)", in_transaction=False),
    good=Example("VACUUM users", schema="CREATE TABLE users (id bigint PRIMARY KEY)", in_transaction=False),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("rewrite",)),),
    manual="https://www.postgresql.org/docs/current/sql-vacuum.html",
)
