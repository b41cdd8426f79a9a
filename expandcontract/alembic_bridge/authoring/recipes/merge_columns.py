"""Merge columns: a new one is computed from them, and they from it, until they go."""

from __future__ import annotations

from dataclasses import dataclass

from expandcontract.alembic_bridge.authoring.draft import Draft
from expandcontract.alembic_bridge.authoring.exchanged_columns import Comer, Exchange, exchanging
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.recipe import Example, Recipe, argument, option, pairs
from expandcontract.errors import UsageError


@dataclass(frozen=True)
class MergeColumns(Recipe):
    """
    Put several columns together into one.

    Indexes and constraints on the old columns aren't carried over: only you know what they mean for the new one.
    """

    table: str = argument("The table.")
    new_name: str = argument("The new column.")
    expression: str = argument("The new column, computed from the old ones, as SQL.")
    back: tuple[str, ...] = option(
        "An old column, computed from the new one; at least two.", (), metavar="OLD=EXPRESSION"
    )
    type: str | None = option("The type of the new column, as SQL; default: that of the first old one.", metavar="TYPE")
    not_null: bool = option("The new column is NOT NULL.", False)

    example = Example(
        "users name \"concat_ws(' ', first_name, last_name)\" --back \"first_name=split_part(name, ' ', 1)\""
        " --back \"last_name=split_part(name, ' ', 2)\"",
        "CREATE TABLE users (id bigint PRIMARY KEY, first_name text, last_name text)",
    )
    locks = (
        "Each part holds its lock for an instant. Until the contract every write computes the other side. Where the"
        " whole can't be taken apart exactly, old code sees an approximation; what new code wrote stays as it is."
    )

    def draft(self, tables: LiveTables) -> Draft:
        table = tables.table(self.table)
        back = pairs("--back", self.back)
        if len(back) < 2:
            raise UsageError(
                "a merge needs two old columns at least, and the way back to each",
                next_command="--back OLD=EXPRESSION --back OLD=EXPRESSION",
            )
        old = [tables.column(table, name) for name in back]
        tables.refuse_expression(table, self.expression, "the expression")
        type_ = tables.type_named(self.type) if self.type else old[0].type
        names = ", ".join(back)
        return exchanging(
            tables,
            Exchange(table, comes=(Comer(self.new_name, type_, self.expression, self.not_null),), backward=back),
            f"merge {table.fullname} {names} into {self.new_name}",
            f"Old code goes on with {names} and new code uses {self.new_name}; each sees what the other writes.",
        )
