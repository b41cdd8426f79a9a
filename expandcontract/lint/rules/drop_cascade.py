"""CASCADE removes what nobody named."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.identifier import listed
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Drop, DropColumn, DropConstraint, Truncate


def check(action: Drop | DropColumn | DropConstraint | Truncate, scene: Scene) -> Iterator[Problem]:
    if not action.cascade:
        return
    if isinstance(action, Drop):
        live = scene.is_live(action.table) if action.table else scene.is_live_object(action.kind, action.name)
        what = action.name
    elif isinstance(action, Truncate):
        live, what = any(scene.is_live(table) for table in action.tables), listed(action.tables)
    else:
        live, what = scene.is_live(action.table), action.table
    if live:
        yield Problem(f"CASCADE takes along whatever depends on {what}, which this text doesn't name")


RULE = Rule(
    hazard=Hazard.DESTRUCTIVE,
    title="CASCADE removes what nobody named",
    on=(
        Drop,
        DropColumn,
        DropConstraint,
        Truncate,
    ),
    check=check,
    why=(
        "What depends on an object differs from database to database; CASCADE drops it silently and locks it as well."
    ),
    instead="Name every object that goes, in the order of dependence, without CASCADE.",
    bad=Example("DROP TABLE users CASCADE", schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)"),
    good=Example("DROP TABLE users", schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)"),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/ddl-depend.html",
    in_contract=Severity.WARNING,
)
