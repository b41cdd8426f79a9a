"""Add a NOT NULL column: old code doesn't know it, so the server gives it a value for that code's rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.draft import Draft, Drafted, Part
from expandcontract.alembic_bridge.authoring.exchanged_columns import Comer, Exchange, exchanging
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.recipe import Example, Recipe, argument, option
from expandcontract.errors import UsageError


@dataclass(frozen=True)
class AddNotNullColumn(Recipe):
    """
    Add a column that always has a value, though old code doesn't write it.

    With --default, a constant for all rows that don't say; with --fill, computed from the row's other columns, now and
    whenever old code changes them.
    """

    table: str = argument("The table.")
    column: str = argument("The new column.")
    type: str = argument("Its type, as SQL.")
    default: str | None = option("What rows get whose writer doesn't know the column, as SQL.", metavar="EXPRESSION")
    keep_default: bool = option("The models have that default too, so it stays after the contract.", False)
    fill: str | None = option("What it is computed from, as SQL over the row's columns.", metavar="EXPRESSION")

    example = Example(
        "users plan text --default \"'free'\"", "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL)"
    )
    locks = (
        "With `--default` the column comes in an instant: PostgreSQL stores a constant default beside the table. With"
        " `--fill` it comes empty, with triggers that fill it, and the backfill does the rest."
    )

    def draft(self, tables: LiveTables) -> Draft:
        table = tables.table(self.table)
        tables.refuse_existing(table, [self.column])
        type_ = tables.type_named(self.type)
        if (self.default is None) == (self.fill is None):
            raise UsageError(
                "old code's rows need a value in the new column",
                next_command="name a constant: --default EXPRESSION, or an expression over the row: --fill EXPRESSION",
            )
        title = f"add {table.fullname}.{self.column}"
        if self.fill is not None:
            return self._filled(tables, table, type_, title, self.fill)
        return self._defaulted(tables, table, type_, title, str(self.default))

    def _defaulted(
        self, tables: LiveTables, table: sa.Table, type_: TypeEngine[Any], title: str, default: str
    ) -> Draft:
        if tables.is_volatile_default(self.type, default):
            raise UsageError(
                f"the default {default} is volatile, so adding the column would write the whole table",
                because="nobody could read or write it meanwhile",
                next_command="name a constant; let the new code write the value",
            )
        column: sa.Column[Any] = sa.Column(self.column, type_, nullable=False, server_default=sa.text(default))
        contract = Drafted(
            f"Only code that writes {self.column} is left, so the default goes.",
            (Part("drop_default", (steps.alter_column(table, column, modify_server_default=None),)),),
        )
        return Draft(
            title,
            expand=Drafted(
                f"Old code's rows get {default}; new code writes {self.column} itself.",
                (Part("add", (steps.add_column(table, column),)),),
            ),
            downgrade=Drafted(
                f"{self.column} goes, with what new code wrote to it.",
                (Part("drop", (steps.drop_column(table, self.column),)),),
            ),
            contract=None if self.keep_default else contract,
        )

    def _filled(self, tables: LiveTables, table: sa.Table, type_: TypeEngine[Any], title: str, fill: str) -> Draft:
        tables.refuse_expression(table, fill, "--fill")
        exchange = Exchange(
            table,
            comes=(Comer(self.column, type_, fill, required=True),),
            reads=tables.columns_in(table, fill),
            backward={},
        )
        return exchanging(
            tables,
            exchange,
            title,
            f"Old code's rows get a computed {self.column}; new code writes it itself, and finds it in every row.",
        )
