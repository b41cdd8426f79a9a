"""Split a column: several new ones are computed from it, and it from them, until it goes."""

from __future__ import annotations

from dataclasses import dataclass

from expandcontract.alembic_bridge.authoring.draft import Draft
from expandcontract.alembic_bridge.authoring.exchanged_columns import Comer, Exchange, exchanging
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.recipe import Example, Recipe, argument, option, pairs
from expandcontract.errors import UsageError


@dataclass(frozen=True)
class SplitColumn(Recipe):
    """
    Put the parts of one column into columns of their own.

    Indexes and constraints on the old column aren't carried over: only you know which part they are about.
    """

    table: str = argument("The table.")
    column: str = argument("The column that is split.")
    into: tuple[str, ...] = option(
        "A new column, computed from the old one; at least two.", (), metavar="NEW=EXPRESSION"
    )
    back: str | None = option("The old column, computed from the new ones.", metavar="EXPRESSION")
    type: str | None = option("The type of the new columns, as SQL; default: that of the old one.", metavar="TYPE")
    not_null: bool = option("The new columns are NOT NULL.", False)

    example = Example(
        "users name --into \"first_name=split_part(name, ' ', 1)\""
        " --into \"last_name=split_part(name, ' ', 2)\" --back \"concat_ws(' ', first_name, last_name)\"",
        "CREATE TABLE users (id bigint PRIMARY KEY, name text)",
    )
    locks = (
        "Each part holds its lock for an instant. Until the contract every write computes the other side. Where the"
        " parts can't be put together exactly, old code sees an approximation; what new code wrote stays as it is."
    )

    def draft(self, tables: LiveTables) -> Draft:
        table = tables.table(self.table)
        column = tables.column(table, self.column)
        into = pairs("--into", self.into)
        if len(into) < 2 or not self.back:
            raise UsageError(
                "a split needs two new columns at least, and the way back",
                next_command="--into NEW=EXPRESSION --into NEW=EXPRESSION --back EXPRESSION",
            )
        for name, expression in into.items():
            tables.refuse_expression(table, expression, f"--into {name}")
        type_ = tables.type_named(self.type) if self.type else column.type
        names = ", ".join(into)
        return exchanging(
            tables,
            Exchange(
                table,
                comes=tuple(Comer(name, type_, forward, self.not_null) for name, forward in into.items()),
                backward={column.name: self.back},
            ),
            f"split {table.fullname}.{column.name} into {names}",
            f"Old code goes on with {column.name} and new code uses {names}; each sees what the other writes.",
        )
