"""A view is renamed."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.alias import leaves_a_view
from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Rename


def check(action: Rename, scene: Scene) -> Iterator[Problem]:
    is_view = action.kind in ("view", "matview") or (action.kind == "table" and action.old in scene.schema.views)
    if is_view and scene.is_live_object("view", action.old) and not leaves_a_view(action.old, scene):
        yield Problem(
            f"code that says {action.old} fails from that moment on, and code that says {action.new} fails until then"
        )


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="A view is renamed",
    on=(Rename,),
    check=check,
    why=("Whichever name the running code uses, there is a moment in which no view has it."),
    instead="Create a second view under the new name; drop the old one in contract.",
    bad=Example(
        "ALTER VIEW people RENAME TO persons",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE VIEW people AS "
            "SELECT * FROM users"
        ),
    ),
    good=Example(
        "CREATE VIEW persons AS SELECT * FROM users",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE VIEW people AS "
            "SELECT * FROM users"
        ),
    ),
    effects=(Effect("10-18", {"people": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-alterview.html",
    in_contract=Severity.ERROR,
)
