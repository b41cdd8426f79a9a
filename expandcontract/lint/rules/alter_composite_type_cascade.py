"""A composite type is changed together with its typed tables."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AlterComposite


def check(action: AlterComposite, scene: Scene) -> Iterator[Problem]:
    if action.cascade and scene.is_live_object("type", action.type):
        yield Problem(f"CASCADE changes every typed table of {action.type} along, each under ACCESS EXCLUSIVE")


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A composite type is changed together with its typed tables",
    on=(AlterComposite,),
    check=check,
    why=("ALTER TYPE … CASCADE takes ACCESS EXCLUSIVE on every table that is declared OF the type."),
    instead=("A new type and a new column, with a Sync and a Backfill; or change the tables one by one."),
    bad=Example(
        "ALTER TYPE address ADD ATTRIBUTE zip text CASCADE",
        schema="CREATE TYPE address AS (street text); CREATE TABLE addresses OF address",
    ),
    good=Example("ALTER TYPE address ADD ATTRIBUTE zip text", schema="CREATE TYPE address AS (street text)"),
    effects=(Effect("10-18", {"addresses": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-altertype.html",
)
