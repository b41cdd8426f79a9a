"""A view is dropped."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Drop


def check(action: Drop, scene: Scene) -> Iterator[Problem]:
    if action.kind in ("view", "matview") and scene.is_live_object(action.kind, action.name):
        yield Problem(f"code that reads {action.name} fails from that moment on")


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="A view is dropped",
    on=(Drop,),
    check=check,
    why="Code that runs now, or that traffic may go back to, still reads it.",
    instead="Drop it in contract(). To add columns at its end: CREATE OR REPLACE VIEW.",
    bad=Example(
        "DROP VIEW people",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE VIEW people AS "
            "SELECT id, name FROM users"
        ),
    ),
    good=Example(
        "CREATE OR REPLACE VIEW people AS SELECT id, name, email FROM users",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE VIEW people AS "
            "SELECT id, name FROM users"
        ),
    ),
    effects=(Effect("10-18", {"people": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-dropview.html",
)
