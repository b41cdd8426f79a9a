"""Add a primary key to a table that has none: in the contract, because old code may still write duplicates."""

from __future__ import annotations

from dataclasses import dataclass

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.draft import Draft, Drafted, Part
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.recipe import Example, Recipe, argument, option
from expandcontract.errors import UsageError


@dataclass(frozen=True)
class AddPrimaryKey(Recipe):
    """
    Make columns the primary key of a table that has none.

    The new release must write neither duplicates nor NULL there. Those that are there must be gone before the contract:
    it fails on them, names one, and may be run again.
    """

    table: str = argument("The table.")
    columns: tuple[str, ...] = argument("The columns of the key.")
    name: str | None = option("The constraint's name; default: TABLE_pkey.")

    example = Example("events id", "CREATE TABLE events (id bigint, at timestamptz)")
    locks = (
        "Each column's NOT NULL is proved by a validated check, the index is built `CONCURRENTLY`; declaring the key"
        " then holds `ACCESS EXCLUSIVE` for an instant and scans nothing."
    )

    def draft(self, tables: LiveTables) -> Draft:
        table = tables.table(self.table)
        tables.refuse_partitioned(table)
        if table.primary_key.columns:
            raise UsageError(f"{table.fullname} has a primary key already")
        columns = [tables.column(table, name) for name in self.columns]
        name = self.name or steps.object_name(table.name, "pkey")
        tables.refuse_relation(name, table.schema)
        nullable = [column for column in columns if column.nullable]
        required = [(column, *steps.require(table, column.name)) for column in nullable]
        checks = tuple(operation for _, _, operation in required)
        finished = [one for column, check, _ in required for one in steps.set_not_null(table, column, check)]
        says = "NOT NULL needs no scan, and the finished index becomes the key."
        return Draft(
            f"{table.fullname} has a primary key",
            expand=Drafted("Nothing changes: old code may still write duplicates or NULL."),
            downgrade=Drafted("There is nothing to undo."),
            contract=Drafted(
                "Only code that writes each key once is left; from now on the table insists on it.",
                (
                    *(
                        [Part("require", checks, "Holds for every write from now on; nothing is read.")]
                        if checks
                        else []
                    ),
                    *steps.validate(table, *(check for _, check, _ in required)),
                    steps.build(table, name, self.columns, unique=True),
                    Part("declare", (*finished, steps.use_index(table, name, "PRIMARY KEY")), says),
                ),
            ),
        )
