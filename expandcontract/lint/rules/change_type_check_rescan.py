"""A type change checks every row again."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import ChangeType


def check(action: ChangeType, scene: Scene) -> Iterator[Problem]:
    if scene.is_live(action.table) and not scene.effects.rewrites and scene.effects.scans:
        yield Problem(f"a CHECK reads {action.column}, so every row of {action.table} is checked again")


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A type change checks every row again",
    on=(ChangeType,),
    check=check,
    why=("A CHECK on the column is added anew by the type change: the whole table is read under ACCESS EXCLUSIVE."),
    instead=("Drop the CHECK first and add it again NOT VALID after the change; VALIDATE it in another transaction."),
    bad=Example(
        "ALTER TABLE users ALTER COLUMN email TYPE varchar(200)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, email varchar(80) CHECK (email <> ''))",
    ),
    good=Example(
        "ALTER TABLE users ALTER COLUMN email TYPE varchar(200)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, email varchar(80))",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("scan",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
