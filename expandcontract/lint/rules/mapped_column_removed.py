"""A contract removes a column that the models map."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.domain.phase import Phase
from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import Drop, DropColumn


def check(action: DropColumn | Drop, scene: Scene) -> Iterator[Problem]:
    if scene.phase is not Phase.CONTRACT:
        return
    if isinstance(action, DropColumn):
        if (action.table, action.column) in scene.surroundings.mapped:
            yield Problem(f"the models of this tree still map {action.table}.{action.column}: its own code breaks")
    elif action.kind == "table" and any(table == action.name for table, _ in scene.surroundings.mapped):
        yield Problem(f"the models of this tree still map {action.name}: its own code breaks")


RULE = Rule(
    hazard=Hazard.PHASE,
    title="A contract removes a column that the models map",
    on=(DropColumn, Drop),
    check=check,
    why="A release that ships this contract would itself select the column.",
    instead=("Remove the attribute from the model in this release; contract() runs when every live release ships it."),
    bad=Example(
        "ALTER TABLE users DROP COLUMN name",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users DROP COLUMN email",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
