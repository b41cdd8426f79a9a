"""A contract removes or renames a column that the models map."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.domain.phase import Phase
from expandcontract.lint.alias import leaves_a_view
from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import Drop, DropColumn, Rename, SetSchema


def check(action: DropColumn | Drop | Rename | SetSchema, scene: Scene) -> Iterator[Problem]:
    if scene.phase is not Phase.CONTRACT:
        return
    table, column = _taken_away(action)
    if column:
        if (table, column) in scene.surroundings.mapped:
            yield Problem(f"the models of this tree still map {table}.{column}: its own code breaks")
    elif any(table == mapped for mapped, _ in scene.surroundings.mapped) and not leaves_a_view(table, scene):
        yield Problem(f"the models of this tree still map {table}: its own code breaks")


def _taken_away(action: DropColumn | Drop | Rename | SetSchema) -> tuple[str, str | None]:
    """Give the table that is gone afterwards, or the column of one; an empty name for neither."""
    if isinstance(action, DropColumn):
        return action.table, action.column
    if isinstance(action, Rename):
        if action.kind == "column":
            return action.relation or "", action.old
        return (action.old if action.kind == "table" else ""), None
    return (action.name if action.kind == "table" else ""), None


RULE = Rule(
    hazard=Hazard.PHASE,
    title="A contract removes or renames a column that the models map",
    on=(DropColumn, Drop, Rename, SetSchema),
    check=check,
    why="A release that ships this contract would itself select the column.",
    instead=(
        "Remove the attribute from the model in this release, or give it the new name; contract() runs when every live "
        "release ships it."
    ),
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
