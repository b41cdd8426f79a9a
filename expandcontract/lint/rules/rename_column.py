"""A column is renamed."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Rename


def check(action: Rename, scene: Scene) -> Iterator[Problem]:
    if action.kind not in ("column", "attribute") or action.relation is None:
        return
    if action.kind == "attribute" or scene.is_live_column(action.relation, action.old):
        yield Problem(
            f"code that says {action.relation}.{action.old} fails from that moment on, and code that says "
            f"{action.new} fails until then",
            f"add {action.new} with Sync({action.relation!r}, forward={{{action.new!r}: {action.old!r}}}, "
            f"backward={{{action.old!r}: {action.new!r}}}) and a Backfill; drop {action.old} in contract()",
        )


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="A column is renamed",
    on=(Rename,),
    check=check,
    why=("Whichever name the running code uses, there is a moment in which no column has it."),
    instead=("A new column with a Sync and a Backfill; the old one goes in contract (ec new rename-column writes it)."),
    bad=Example(
        "ALTER TABLE users RENAME COLUMN name TO display_name",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN display_name text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
    in_contract=Severity.ERROR,
)
