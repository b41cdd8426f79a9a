"""Drop an index: in the contract, because old code may be slow without it."""

from __future__ import annotations

from dataclasses import dataclass

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.draft import Draft, Drafted
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.recipe import Example, Recipe, argument


@dataclass(frozen=True)
class DropIndex(Recipe):
    """
    Drop an index once no code that needs it can come back.

    The new release's queries must do without it; the old release keeps it for as long as it may be needed.
    """

    index: str = argument("The index.")

    example = Example(
        "ix_users_name",
        "CREATE TABLE users (id bigint PRIMARY KEY, name text); CREATE INDEX ix_users_name ON users (name)",
    )
    locks = "`DROP INDEX CONCURRENTLY` lets reads and writes pass, and waits for the transactions that use the table."

    def draft(self, tables: LiveTables) -> Draft:
        table = tables.table_of_index(self.index)
        name = self.index.rpartition(".")[2]
        return Draft(
            f"drop index {name}",
            expand=Drafted("Nothing changes: old code may still need the index."),
            downgrade=Drafted("There is nothing to undo."),
            contract=Drafted(
                "Only code that does without the index is left; it goes, and nobody waits.",
                (steps.drop_index(table, name),),
            ),
        )
