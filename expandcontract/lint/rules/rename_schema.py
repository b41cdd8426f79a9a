"""A schema is renamed."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import Rename


def check(action: Rename, scene: Scene) -> Iterator[Problem]:
    if action.kind in ("schema", "database") and scene.is_live_object(action.kind, action.old):
        yield Problem(
            f"code that says {action.old} fails from that moment on, and code that says {action.new} fails until then"
        )


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="A schema is renamed",
    on=(Rename,),
    check=check,
    why=("Whichever name the running code uses, there is a moment in which no schema has it."),
    instead=("Make a new schema, with views in it for the objects that stay; remove the old one in contract."),
    bad=Example("ALTER SCHEMA billing RENAME TO payments", schema="CREATE SCHEMA billing"),
    good=Example("CREATE SCHEMA payments", schema="CREATE SCHEMA billing"),
    manual="https://www.postgresql.org/docs/current/sql-alterschema.html",
    in_contract=Severity.ERROR,
)
