"""Extract a table: some columns of a table become a table of their own, row by row."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from expandcontract.alembic_bridge.authoring.draft import Draft
from expandcontract.alembic_bridge.authoring.extracted_table import ExtractedTable
from expandcontract.alembic_bridge.authoring.leaving import defaults_of, refuse_staying
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.recipe import Example, Recipe, argument, option, pairs
from expandcontract.errors import UsageError


@dataclass(frozen=True)
class ExtractTable(Recipe):
    """
    Make some columns of a table a table of their own, with a row for each of its rows.

    Until the contract the new name is a view of the old table, so there is one place where a value is written, and
    the rows of both are locked in one order whoever writes: no two releases can deadlock. Triggers on the old table
    fill the new one behind the view. In the models the new table's key is a foreign key with ondelete="CASCADE".
    """

    table: str = argument("The table.")
    new_table: str = argument("The table that its columns go to.")
    columns: tuple[str, ...] = argument("The columns that go.")
    key: str | None = option("What the key is called in the new table; default: as in the old one.", metavar="COLUMN")
    default: tuple[str, ...] = option(
        "What a NOT NULL column without a default has in rows of the old table that new code inserts; repeatable.",
        (),
        metavar="COLUMN=EXPRESSION",
    )

    example = Example(
        "users profiles bio website --key user_id",
        "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, bio text, website text)",
    )
    locks = (
        "Each part holds its locks for an instant; the new table is empty when its foreign key comes. Until the"
        " contract every write of the columns writes two rows. Each row of the old table then has one in the new: to"
        " insert into the view is to fill it, to delete from it is to empty it. New code goes through a view"
        " meanwhile; it can't `TRUNCATE` it, use `ON CONFLICT` on it or refer to it by a foreign key. The contract"
        " holds `ACCESS EXCLUSIVE` on both tables for an instant."
    )

    def draft(self, tables: LiveTables) -> Draft:
        table = tables.table(self.table)
        columns = [tables.column(table, name) for name in dict.fromkeys(self.columns)]
        if not columns:
            raise UsageError("a table needs columns", next_command="name those that go to it")
        refuse_staying(tables, table, columns)
        return ExtractedTable(
            tables,
            table,
            columns,
            self.new_table,
            self._keys(table),
            defaults_of(tables, table, columns, pairs("--default", self.default)),
        ).draft()

    def _keys(self, table: sa.Table) -> dict[str, str]:
        """What the columns of the primary key are called in the new table."""
        keys = [column.name for column in table.primary_key.columns]
        if not keys:
            raise UsageError(
                f"{table.fullname} has no primary key", next_command=f"first ec new add-primary-key {table.fullname} …"
            )
        if self.key is None:
            return dict(zip(keys, keys, strict=True))
        if len(keys) > 1:
            raise UsageError(
                f"the primary key of {table.fullname} has several columns", because="they keep their names"
            )
        if self.key in self.columns:
            raise UsageError(f"{self.key} is one of the columns that go", next_command="call the key something else")
        return {keys[0]: self.key}
