"""An extension is upgraded."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import SetExtension


def check(action: SetExtension, scene: Scene) -> Iterator[Problem]:
    if not action.created and scene.is_live_object("extension", action.name):
        yield Problem(
            f"the update script of {action.name} may change functions that running code calls, and locks what it likes"
        )


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="An extension is upgraded",
    on=(SetExtension,),
    check=check,
    why=("An update script may drop or change functions and types, and locks whatever depends on them."),
    instead="Read the update script, try it on a copy, and run it in a change of its own.",
    bad=Example("ALTER EXTENSION citext UPDATE", schema="CREATE EXTENSION citext"),
    good=Example("CREATE EXTENSION IF NOT EXISTS citext", schema="CREATE EXTENSION citext"),
    manual="https://www.postgresql.org/docs/current/sql-alterextension.html",
    in_contract=Severity.ERROR,
)
