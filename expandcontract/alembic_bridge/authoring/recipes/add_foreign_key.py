"""Add a foreign key: in the contract, because old code may still write what it refuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.draft import THIS_CHANGE, Draft, Drafted, Part
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.recipe import Example, Recipe, argument, option
from expandcontract.domain.change import Backfill
from expandcontract.errors import UsageError


@dataclass(frozen=True)
class AddForeignKey(Recipe):
    """
    Let a column refer to another table once no code that may write an orphan can come back.

    The new release must write no orphans. Those that are there are set to NULL by --orphans-null, once it is live
    alone; else the validation fails on them, names one, and may be run again.
    """

    table: str = argument("The table that refers.")
    column: str = argument("Its column.")
    referred: str = argument("The table that it refers to, by its primary key.")
    name: str | None = option("The constraint's name; default: TABLE_COLUMN_fkey.")
    on_delete: str | None = option("What a delete there does here: CASCADE, SET NULL, RESTRICT.", metavar="ACTION")
    orphans_null: bool = option("Set orphans to NULL.", False)
    index: bool = option("Build an index on the column first, ix_TABLE_COLUMN; deletes need one.", False)

    example = Example(
        "posts user_id users --index --orphans-null",
        "CREATE TABLE users (id bigint PRIMARY KEY, name text);"
        " CREATE TABLE posts (id bigint PRIMARY KEY, user_id bigint, body text)",
    )
    locks = (
        "The constraint comes `NOT VALID`, which keeps writers of both tables out for an instant; validating it reads"
        " every row under locks that neither reads nor writes feel."
    )

    def draft(self, tables: LiveTables) -> Draft:
        table, referred = tables.table(self.table), tables.table(self.referred)
        column = tables.column(table, self.column)
        keys = [key.name for key in referred.primary_key.columns]
        if len(keys) != 1:
            raise UsageError(f"{referred.fullname} has no primary key of one column")
        name = self.name or steps.object_name(table.name, column.name, "fkey")
        refer = steps.foreign_key(
            table, name, [column.name], referred, keys, ondelete=self.on_delete.upper() if self.on_delete else None
        )
        index = steps.object_name("ix", table.name, column.name)
        expand = Drafted("Nothing changes: old code may still write orphans.")
        downgrade = Drafted("There is nothing to undo.")
        if self.index:
            tables.refuse_relation(index, table.schema)
            expand = Drafted(
                "Old code may still write orphans; the index is what deletes will need.",
                (steps.build(table, index, [column.name]),),
            )
            downgrade = Drafted("The index goes again.", (steps.drop_index(table, index),))
        return Draft(
            f"{table.fullname}.{column.name} refers to {referred.fullname}",
            expand=expand,
            downgrade=downgrade,
            backfill=self._backfill(table, column, referred, keys[0]) if self.orphans_null else None,
            backfill_says="Orphans lose their reference once only new code, which writes none, is live.",
            contract=Drafted(
                f"Only code that writes no orphans is left; from now on {table.name} refuses them.",
                (
                    Part("refer", (refer,), "Holds for every write from now on; the rows that are there aren't read."),
                    *steps.validate(table, name),
                ),
            ),
        )

    def _backfill(self, table: sa.Table, column: sa.Column[Any], referred: sa.Table, key: str) -> Backfill:
        own, target = f"{steps.quoted(table.name)}.{steps.quoted(column.name)}", steps.relation(referred)
        orphan = f"NOT EXISTS (SELECT FROM {target} AS referred WHERE referred.{steps.quoted(key)} = {own})"
        return Backfill(
            table.name,
            set={column.name: "NULL"},
            where=f"{own} IS NOT NULL AND {orphan}",
            schema=table.schema,
            writers=THIS_CHANGE,
            required=False,
        )
