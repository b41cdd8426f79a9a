"""Drop a table: when no code that knows it can come back."""

from __future__ import annotations

from dataclasses import dataclass

from alembic.operations import ops

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.draft import Draft, Drafted, Part
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.recipe import Example, Recipe, argument
from expandcontract.errors import UsageError


@dataclass(frozen=True)
class DropTable(Recipe):
    """
    Drop a table once no code that knows it can come back.

    Until the contract its foreign keys still hold: new code can't delete a row that the table refers to.
    """

    table: str = argument("The table that goes.")

    example = Example("drafts", "CREATE TABLE drafts (id bigint PRIMARY KEY, body text)")
    locks = (
        "Each foreign key goes in a part of its own, because that locks the table that it refers to as well; then"
        " `DROP TABLE` locks nothing that anybody uses."
    )

    def draft(self, tables: LiveTables) -> Draft:
        table = tables.table(self.table)
        tables.refuse_partitioned(table)
        for column in table.columns:
            for reference in tables.references(table, column.name):
                if reference.table != table.name:
                    raise UsageError(
                        f"{reference.table}.{reference.column} refers to {table.fullname}",
                        next_command=f"ec new drop-column {reference.table} {reference.column}",
                    )
        drop = ops.DropTableOp(table.name, schema=table.schema)
        return Draft(
            f"drop table {table.fullname}",
            expand=Drafted("Nothing changes: old code goes on with the table."),
            downgrade=Drafted("There is nothing to undo."),
            contract=Drafted(
                f"Nobody knows {table.name} any more; it goes.",
                (*steps.drop_foreign_keys(table), Part("remove", (drop,), "The table goes.")),
            ),
        )
