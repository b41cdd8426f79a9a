"""A function is renamed."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import Rename


def check(action: Rename, scene: Scene) -> Iterator[Problem]:
    if action.kind in ("function", "procedure", "routine", "aggregate") and scene.is_live_object(
        action.kind, action.old
    ):
        yield Problem(
            f"code that says {action.old} fails from that moment on, and code that says {action.new} fails until then"
        )


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="A function is renamed",
    on=(Rename,),
    check=check,
    why=("Whichever name the running code uses, there is a moment in which no function has it."),
    instead="Create the function under the new name as well; drop the old one in contract.",
    bad=Example(
        "ALTER FUNCTION code() RENAME TO next_code",
        schema="CREATE FUNCTION code() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ),
    good=Example(
        "CREATE FUNCTION next_code() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        schema="CREATE FUNCTION code() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ),
    manual="https://www.postgresql.org/docs/current/sql-alterfunction.html",
    in_contract=Severity.ERROR,
)
