"""Rename a column: both names live side by side, kept equal by triggers, until the old one goes."""

from __future__ import annotations

from dataclasses import dataclass

from expandcontract.alembic_bridge.authoring.draft import Draft
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.recipe import Example, Recipe, argument
from expandcontract.alembic_bridge.authoring.replaced_column import Replacement, replacing
from expandcontract.alembic_bridge.authoring.steps import quoted


@dataclass(frozen=True)
class RenameColumn(Recipe):
    """
    Give a column another name.

    For a name that has become wrong, while code that knows the old one is running or may come back.
    """

    table: str = argument("The table.")
    column: str = argument("The column's name today.")
    new_name: str = argument("The name that it gets.")

    example = Example("users name display_name", "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL)")
    locks = (
        "Each part holds its lock for an instant; indexes are built `CONCURRENTLY`. Until the contract, every write of"
        " the column writes two columns, and an index on it is kept twice."
    )

    def draft(self, tables: LiveTables) -> Draft:
        table = tables.table(self.table)
        old = tables.column(table, self.column)
        replacement = Replacement(table, old, self.new_name, old.type, quoted(old.name), quoted(self.new_name))
        return replacing(
            tables,
            replacement,
            f"rename {table.fullname}.{old.name} to {self.new_name}",
            f"Old code goes on with {old.name} and new code uses {self.new_name}; each sees what the other writes.",
        )
