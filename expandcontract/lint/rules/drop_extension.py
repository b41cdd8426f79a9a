"""An extension is dropped."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import Drop


def check(action: Drop, scene: Scene) -> Iterator[Problem]:
    if action.kind == "extension" and scene.is_live_object(action.kind, action.name):
        yield Problem(f"code that uses the extension {action.name} fails from that moment on")


RULE = Rule(
    hazard=Hazard.DESTRUCTIVE,
    title="An extension is dropped",
    on=(Drop,),
    check=check,
    why=(
        "Code that runs now, or that traffic may go back to, still uses the extension; what it holds is gone as well."
    ),
    instead="Drop it in contract(), when no release that has or could get traffic uses it.",
    bad=Example("DROP EXTENSION citext", schema="CREATE EXTENSION citext"),
    good=Example("CREATE EXTENSION hstore", schema="CREATE EXTENSION citext"),
    manual="https://www.postgresql.org/docs/current/sql-dropextension.html",
)
