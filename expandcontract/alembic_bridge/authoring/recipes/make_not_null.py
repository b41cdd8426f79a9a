"""Make a column NOT NULL: in the contract, because old code may still write NULL."""

from __future__ import annotations

from dataclasses import dataclass

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.draft import THIS_CHANGE, Draft, Drafted, Part
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.recipe import Example, Recipe, argument, option
from expandcontract.domain.change import Backfill
from expandcontract.errors import UsageError


@dataclass(frozen=True)
class MakeNotNull(Recipe):
    """
    Require a value in a column that may be NULL today.

    The new release always writes a value and copes with NULL until the contract; the rows without one are filled once
    it is live alone.
    """

    table: str = argument("The table.")
    column: str = argument("The column.")
    fill: str | None = option("What rows without a value get, as SQL over the row.", metavar="EXPRESSION")

    example = Example("users email --fill \"''\"", "CREATE TABLE users (id bigint PRIMARY KEY, email text)")
    locks = (
        "A check comes `NOT VALID` in an instant and is validated under a lock that nobody feels; `SET NOT NULL` then"
        " needs no scan, and holds `ACCESS EXCLUSIVE` for an instant."
    )

    def draft(self, tables: LiveTables) -> Draft:
        table = tables.table(self.table)
        column = tables.column(table, self.column)
        if not column.nullable:
            raise UsageError(f"{table.fullname}.{column.name} is NOT NULL already")
        if not self.fill:
            raise UsageError("rows without a value need one", next_command="name it: --fill EXPRESSION")
        tables.refuse_expression(table, self.fill, "--fill")
        name, required = steps.require(table, column.name)
        return Draft(
            f"{table.fullname}.{column.name} is required",
            expand=Drafted("Nothing changes: old code may still write NULL, and new code copes with it."),
            downgrade=Drafted("There is nothing to undo."),
            backfill=Backfill(
                table.name,
                set={column.name: self.fill},
                where=f"{steps.quoted(column.name)} IS NULL",
                schema=table.schema,
                writers=THIS_CHANGE,
                required=False,
            ),
            backfill_says="Runs once only new code, which always writes a value, is live.",
            contract=Drafted(
                f"Only code that writes {column.name} is left; from now on the table insists on a value.",
                (
                    Part("require", (required,), "Holds for every write from now on; nothing is read."),
                    *steps.validate(table, name),
                    Part(
                        "set_not_null",
                        tuple(steps.set_not_null(table, column, name)),
                        "Needs no scan: the check proves it.",
                    ),
                ),
            ),
        )
