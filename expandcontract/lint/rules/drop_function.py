"""A function is dropped."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import CreateFunction, Drop


def check(action: Drop, scene: Scene) -> Iterator[Problem]:
    callable_kinds = ("function", "procedure", "routine", "aggregate", "operator", "cast")
    if action.kind not in callable_kinds or not scene.is_live_object(action.kind, action.name):
        return
    again = (each for each in scene.later_in_transaction() if isinstance(each, CreateFunction))
    if not any(each.name == action.name for each in again):
        yield Problem(f"code that calls {action.name} fails from that moment on")


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="A function is dropped",
    on=(Drop,),
    check=check,
    why="Code that runs now, or that traffic may go back to, still calls it.",
    instead="Drop it in contract(); to change it, CREATE OR REPLACE FUNCTION.",
    bad=Example("DROP FUNCTION code()", schema="CREATE FUNCTION code() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
    good=Example(
        "CREATE OR REPLACE FUNCTION code() RETURNS int LANGUAGE sql AS 'SELECT 2'",
        schema="CREATE FUNCTION code() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ),
    manual="https://www.postgresql.org/docs/current/sql-dropfunction.html",
)
