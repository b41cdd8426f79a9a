"""Change a column's type: a column of the new type and of another name takes its place."""

from __future__ import annotations

from dataclasses import dataclass

from expandcontract.alembic_bridge.authoring.draft import Draft
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables, compiled
from expandcontract.alembic_bridge.authoring.recipe import Example, Recipe, argument, option
from expandcontract.alembic_bridge.authoring.replaced_column import Replacement, replacing
from expandcontract.alembic_bridge.authoring.replaced_key import KeyReplacement, replacing_key
from expandcontract.alembic_bridge.authoring.steps import quoted


@dataclass(frozen=True)
class ChangeType(Recipe):
    """
    Give a column another type; it gets another name with it.

    One name can't have two types while two releases run: whoever had prepared a statement on it would fail once. In
    the models the attribute keeps its name, and mapped_column("new_name", …) says where it is. For integer to bigint of
    a primary key, change the columns that refer to it first.
    """

    table: str = argument("The table.")
    column: str = argument("The column.")
    type: str = argument("Its new type, as SQL.")
    new_name: str = argument("The name of the column of the new type.")
    using: str | None = option("The new value over the old column; default: a cast.", metavar="EXPRESSION")
    back: str | None = option("The old value over the new column; default: a cast.", metavar="EXPRESSION")

    example = Example(
        "orders total bigint total_cents --using 'total * 100' --back 'total_cents / 100'",
        "CREATE TABLE orders (id bigint PRIMARY KEY, total integer NOT NULL)",
    )
    locks = (
        "Each part holds its lock for an instant; nothing is rewritten. Indexes, constraints and foreign keys are built"
        " for the new column as for a [rename](rename-column.md). Until the contract a value that the old type can't"
        " hold is refused. A primary key's foreign keys are added and validated in the contract, before the old ones"
        " go."
    )

    def draft(self, tables: LiveTables) -> Draft:
        table = tables.table(self.table)
        old = tables.column(table, self.column)
        type_ = tables.type_named(self.type)
        message = f"{table.fullname}.{old.name} becomes {self.new_name}, of type {compiled(type_).lower()}"
        if old.primary_key:
            return replacing_key(tables, KeyReplacement(table, old, self.new_name, type_), message)
        replacement = Replacement(
            table,
            old,
            self.new_name,
            type_,
            self.using or f"{quoted(old.name)}::{compiled(type_).lower()}",
            self.back or f"{quoted(self.new_name)}::{compiled(old.type).lower()}",
        )
        return replacing(
            tables,
            replacement,
            message,
            f"Old code goes on with {old.name} and new code uses {self.new_name}; each sees what the other writes.",
        )
