"""A type is renamed."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import Rename


def check(action: Rename, scene: Scene) -> Iterator[Problem]:
    if action.kind in ("type", "domain") and scene.is_live_object(action.kind, action.old):
        yield Problem(
            f"code that says {action.old} fails from that moment on, and code that says {action.new} fails until then"
        )


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="A type is renamed",
    on=(Rename,),
    check=check,
    why=("Whichever name the running code uses, there is a moment in which no type has it."),
    instead="Make a new type and a new column of it, with a Sync and a Backfill.",
    bad=Example("ALTER TYPE mood RENAME TO feeling", schema="CREATE TYPE mood AS ENUM ('low')"),
    good=Example("CREATE TYPE feeling AS ENUM ('low')", schema="CREATE TYPE mood AS ENUM ('low')"),
    manual="https://www.postgresql.org/docs/current/sql-altertype.html",
    in_contract=Severity.ERROR,
)
