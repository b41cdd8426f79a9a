"""A table is dropped."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Drop


def check(action: Drop, scene: Scene) -> Iterator[Problem]:
    if action.kind in ("table", "foreign_table") and scene.is_live(action.name):
        yield Problem(
            f"code that uses {action.name} fails from that moment on, and its rows are gone",
            f"drop {action.name} in contract(), when no live or returning release uses it",
        )


RULE = Rule(
    hazard=Hazard.DESTRUCTIVE,
    title="A table is dropped",
    on=(Drop,),
    check=check,
    why=("Code that runs now, or that traffic may go back to, still uses the table; its rows are gone as well."),
    instead="Drop it in contract(), when no release that has or could get traffic uses it.",
    bad=Example("DROP TABLE users", schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)"),
    good=Example(
        "CREATE TABLE people (id bigint PRIMARY KEY)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-droptable.html",
)
