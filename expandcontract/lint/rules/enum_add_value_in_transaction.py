"""A value is added to an enum inside a transaction on an old server."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import AddEnumValue


def check(action: AddEnumValue, scene: Scene) -> Iterator[Problem]:
    if scene.version < 12 and scene.in_transaction and scene.is_live_object("type", action.type):
        yield Problem(f"PostgreSQL {scene.version} refuses ALTER TYPE … ADD VALUE inside a transaction block")


RULE = Rule(
    hazard=Hazard.FAILURE,
    title="A value is added to an enum inside a transaction on an old server",
    on=(AddEnumValue,),
    check=check,
    why=("PostgreSQL 10 and 11 allow it only outside a transaction, unless the type was made in the same one."),
    instead="A part of its own, outside a transaction.",
    bad=Example("ALTER TYPE mood ADD VALUE 'high'", schema="CREATE TYPE mood AS ENUM ('low')", version=11),
    good=Example(
        "ALTER TYPE mood ADD VALUE 'high'",
        schema="CREATE TYPE mood AS ENUM ('low')",
        in_transaction=False,
        version=11,
    ),
    manual="https://www.postgresql.org/docs/current/sql-altertype.html",
)
