"""An identity column is added."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddColumn


def check(action: AddColumn, scene: Scene) -> Iterator[Problem]:
    if action.column.identity and scene.is_live(action.table) and scene.effects.rewrites:
        yield Problem(
            f"every row of {action.table} gets its own number for {action.column.name}: the table is written anew"
        )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="An identity column is added",
    on=(AddColumn,),
    check=check,
    why=("Each existing row gets a number from the new sequence: the table is rewritten under ACCESS EXCLUSIVE."),
    instead=(
        "A bigint column filled by a Sync and a Backfill, SET NOT NULL with a proof, then ALTER "
        "COLUMN … ADD GENERATED, which is brief."
    ),
    bad=Example(
        "ALTER TABLE users ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY",
        schema="CREATE TABLE users (id bigint PRIMARY KEY)",
    ),
    good=Example("ALTER TABLE users ADD COLUMN number bigint", schema="CREATE TABLE users (id bigint PRIMARY KEY)"),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("rewrite",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
