"""A table is locked by hand."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.identifier import listed
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import BLOCKING, Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import LockTable


def check(action: LockTable, scene: Scene) -> Iterator[Problem]:
    live = [table for table in action.tables if scene.is_live(table)]
    if live and action.mode >= BLOCKING:
        mode = Lock(action.mode)
        yield Problem(f"LOCK TABLE takes {mode} on {listed(live)} until the transaction ends: {mode.blocks}")


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A table is locked by hand",
    on=(LockTable,),
    check=check,
    why=("LOCK TABLE holds its lock until the end of the transaction, whatever the statements after it need."),
    instead=("Leave locking to the statements; where an order of locks matters, take them in parts of their own."),
    bad=Example("LOCK TABLE users IN EXCLUSIVE MODE", schema="CREATE TABLE users (id bigint PRIMARY KEY)"),
    good=Example("LOCK TABLE users IN ACCESS SHARE MODE", schema="CREATE TABLE users (id bigint PRIMARY KEY)"),
    effects=(Effect("10-18", {"users": Lock.EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-lock.html",
)
