"""Drop a column: new code stops using it at once, the column itself goes when no code that knows it can come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.draft import Draft, Drafted, Part
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.recipe import Example, Recipe, argument, option
from expandcontract.errors import UsageError


@dataclass(frozen=True)
class DropColumn(Recipe):
    """
    Drop a column once no code that knows it can come back.

    The new release neither reads nor writes it. Where it is NOT NULL without a default, name what old code is to find
    in the rows that new code writes.
    """

    table: str = argument("The table.")
    column: str = argument("The column that goes.")
    default: str | None = option("What it has in rows that new code writes, as SQL.", metavar="EXPRESSION")

    example = Example(
        "users nickname --default \"''\"", "CREATE TABLE users (id bigint PRIMARY KEY, nickname text NOT NULL)"
    )
    locks = "Setting a default and dropping a column both hold `ACCESS EXCLUSIVE` for an instant; no row is touched."

    def draft(self, tables: LiveTables) -> Draft:
        table = tables.table(self.table)
        column = tables.column(table, self.column)
        tables.refuse_referred(table, column)
        needed = not column.nullable and column.server_default is None and column.identity is None
        if needed and self.default is None:
            raise UsageError(
                f"{table.fullname}.{column.name} is NOT NULL without a default, so new code's inserts would fail",
                next_command="say what old code is to find in them: --default EXPRESSION",
            )
        if self.default is not None and not needed:
            raise UsageError(
                f"{table.fullname}.{column.name} needs no --default: rows that don't name it have a value already",
                because="it may be NULL" if column.nullable else "it has a default",
            )
        expand = Drafted("Nothing changes: new code leaves the column out, old code goes on with it.")
        downgrade = Drafted("There is nothing to undo.")
        if self.default is not None:
            tables.refuse_default(column, self.default)
            expand = Drafted(
                f"New code leaves {column.name} out; old code finds {self.default} in new code's rows.",
                (Part("enable", (self._set_default(table, column, sa.DefaultClause(sa.text(self.default))),)),),
            )
            downgrade = Drafted("The default goes again.", (Part("undo", (self._set_default(table, column, None),)),))
        return Draft(
            f"drop {table.fullname}.{column.name}",
            expand=expand,
            downgrade=downgrade,
            contract=Drafted(
                f"Nobody knows {column.name} any more; it goes, with what stands on it.",
                (
                    *steps.drop_foreign_keys(table, column.name),
                    Part("remove", (steps.drop_column(table, column.name),), "The column goes."),
                ),
            ),
        )

    def _set_default(self, table: sa.Table, column: sa.Column[Any], default: Any) -> Any:
        return steps.alter_column(table, column, modify_server_default=default)
