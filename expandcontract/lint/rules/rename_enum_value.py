"""A value of an enum is renamed."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import Rename


def check(action: Rename, scene: Scene) -> Iterator[Problem]:
    if action.kind == "enum value" and action.relation and scene.is_live_object("type", action.relation):
        yield Problem(f"code that writes or compares '{action.old}' fails from that moment on")


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="A value of an enum is renamed",
    on=(Rename,),
    check=check,
    why=("Code that runs now sends the old label and gets an error; code that expects it reads another one."),
    instead=("ADD VALUE, let the new code write it, backfill the rows; the old value can stay unused."),
    bad=Example("ALTER TYPE mood RENAME VALUE 'low' TO 'sad'", schema="CREATE TYPE mood AS ENUM ('low')"),
    good=Example("ALTER TYPE mood ADD VALUE 'sad' AFTER 'low'", schema="CREATE TYPE mood AS ENUM ('low')"),
    manual="https://www.postgresql.org/docs/current/sql-altertype.html",
    in_contract=Severity.ERROR,
)
