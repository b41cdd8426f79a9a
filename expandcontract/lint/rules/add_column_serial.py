"""A serial column is added."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddColumn


def check(action: AddColumn, scene: Scene) -> Iterator[Problem]:
    if action.column.type.serial and scene.is_live(action.table) and scene.effects.rewrites:
        yield Problem(
            f"every row of {action.table} gets its own number for {action.column.name}: the table is written anew"
        )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A serial column is added",
    on=(AddColumn,),
    check=check,
    why=("A serial is a column with a nextval() default: each existing row gets a number, under ACCESS EXCLUSIVE."),
    instead=(
        "A bigint column, a sequence, SET DEFAULT nextval(…), a backfill, and ALTER SEQUENCE … OWNED BY at the end."
    ),
    bad=Example("ALTER TABLE users ADD COLUMN number bigserial", schema="CREATE TABLE users (id bigint PRIMARY KEY)"),
    good=Example("ALTER TABLE users ADD COLUMN number bigint", schema="CREATE TABLE users (id bigint PRIMARY KEY)"),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("rewrite",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
