"""Move a column to the table whose rows belong to this one's: each side's triggers follow the other until it goes."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from expandcontract.alembic_bridge.authoring.draft import Draft
from expandcontract.alembic_bridge.authoring.leaving import defaults_of, refuse_staying
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.moved_column import MovedColumn
from expandcontract.alembic_bridge.authoring.recipe import Example, Recipe, argument, option
from expandcontract.errors import UsageError


@dataclass(frozen=True)
class MoveColumn(Recipe):
    """
    Put a column into another table, whose rows refer to this one's, each to one of its own.

    Either table's row is locked by whoever writes the other one's, so all code must lock them in one order: until the
    contract, the new release locks the row of the old table (SELECT … FOR NO KEY UPDATE) before it changes the column
    in the new one, and no code writes a row of the new table before that of the old one in one transaction. Who breaks
    the rule may deadlock with the other release. extract-table asks for no order. The backfill isn't
    complete before each row of the old table that has a value has its row in the new one.
    """

    table: str = argument("The table that has the column.")
    column: str = argument("The column.")
    to: str = argument("The table that it goes to; its foreign key to the first one is unique.")
    name: str | None = option("What the column is called there; default: as here.", metavar="COLUMN")
    default: str | None = option(
        "What it has in rows of the first table that new code inserts, where it is NOT NULL without a default.",
        metavar="EXPRESSION",
    )

    example = Example(
        "users bio profiles",
        "CREATE TABLE users (id bigint PRIMARY KEY, bio text); CREATE TABLE profiles (user_id bigint PRIMARY KEY"
        " REFERENCES users ON DELETE CASCADE, website text)",
    )
    locks = (
        "Each part holds its locks for an instant. Until the contract every write of the column writes two rows, the"
        " row of the old table first, and inserting a row of the new table locks the one that it belongs to. Whoever"
        " writes one of the tables needs the right to write the other. The contract holds `ACCESS EXCLUSIVE` on both"
        " for an instant."
    )

    def draft(self, tables: LiveTables) -> Draft:
        table, target = tables.table(self.table), tables.table(self.to)
        column = tables.column(table, self.column)
        name = self.name or column.name
        tables.refuse_existing(target, [name])
        refuse_staying(tables, table, [column])
        given = {} if self.default is None else {column.name: self.default}
        return MovedColumn(
            tables,
            table,
            column,
            target,
            sa.Column(name, column.type, comment=column.comment),
            _own_key(table, target),
            defaults_of(tables, table, [column], given),
        ).draft()


def _own_key(table: sa.Table, target: sa.Table) -> dict[str, str]:
    """
    The columns of the target that refer to the table, each with the one that it refers to.

    Raises:
        UsageError: no foreign key does, or several; or it may refer to one row from many, or be checked late.
    """
    found = [key for key in target.foreign_key_constraints if _referred(key) == table.fullname]
    if len(found) != 1:
        many = "several foreign keys" if found else "no foreign key"
        raise UsageError(
            f"{target.fullname} has {many} to {table.fullname}",
            because="by one foreign key it must be known which row a value goes to",
        )
    (key,) = found
    if set(key.column_keys) not in _unique(target):
        raise UsageError(
            f"several rows of {target.fullname} may refer to one of {table.fullname}",
            because=f"{', '.join(key.column_keys)} isn't unique, and one value can't be kept in many rows",
            next_command=f"where each has one: ec new add-unique {target.fullname} {' '.join(key.column_keys)}",
        )
    if key.deferrable:
        raise UsageError(
            f"the foreign key {key.name} of {target.fullname} is deferrable",
            because="a row could come before the one that it belongs to, and its value would be lost",
        )
    return {
        name: element.target_fullname.split(".")[-1]
        for name, element in zip(key.column_keys, key.elements, strict=True)
    }


def _referred(key: sa.ForeignKeyConstraint) -> str:
    return key.elements[0].target_fullname.rpartition(".")[0]


def _unique(table: sa.Table) -> list[set[str]]:
    """The sets of columns of which no two rows have the same values."""
    constraints = [
        each for each in table.constraints if isinstance(each, sa.UniqueConstraint | sa.PrimaryKeyConstraint)
    ]
    indexes = [
        index for index in table.indexes if index.unique and index.dialect_options["postgresql"]["where"] is None
    ]
    return [{column.name for column in each.columns} for each in (*constraints, *indexes)]
