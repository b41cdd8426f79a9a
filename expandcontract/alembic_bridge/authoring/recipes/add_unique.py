"""Add a unique constraint: in the contract, because old code may still write duplicates."""

from __future__ import annotations

from dataclasses import dataclass

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.draft import Draft, Drafted
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.recipe import Example, Recipe, argument, option


@dataclass(frozen=True)
class AddUnique(Recipe):
    """
    Make columns unique once no code that may write duplicates can come back.

    The new release must not write duplicates, and those that are there must be gone before the contract: its build
    fails on them, names one, and may be run again.
    """

    table: str = argument("The table.")
    columns: tuple[str, ...] = argument("The columns that are unique together.")
    name: str | None = option("The constraint's name; default: TABLE_COLUMNS_key.")

    example = Example("users email", "CREATE TABLE users (id bigint PRIMARY KEY, email text)")
    locks = (
        "The index is built `CONCURRENTLY`; declaring it a constraint holds `ACCESS EXCLUSIVE` for an instant. From the"
        " build on a duplicate is refused. Until then new code can't use `ON CONFLICT` with these columns."
    )

    def draft(self, tables: LiveTables) -> Draft:
        table = tables.table(self.table)
        tables.refuse_partitioned(table)
        for column in self.columns:
            tables.column(table, column)
        name = self.name or steps.object_name(table.name, *self.columns, "key")
        tables.refuse_relation(name, table.schema)
        columns = ", ".join(self.columns)
        return Draft(
            f"{table.fullname} ({columns}) is unique",
            expand=Drafted("Nothing changes: old code may still write duplicates."),
            downgrade=Drafted("There is nothing to undo."),
            contract=Drafted(
                f"Only code that writes no duplicates of {columns} is left; from now on the table refuses them.",
                steps.build_unique(table, name, self.columns),
            ),
        )
