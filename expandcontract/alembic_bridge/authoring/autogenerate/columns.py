"""Columns that come and go."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation, ops

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.autogenerate.placement import Fill, Move, Placement, Wave
from expandcontract.alembic_bridge.authoring.autogenerate.required import required
from expandcontract.alembic_bridge.authoring.autogenerate.surroundings import Key, Surroundings, bare, key_of, shown
from expandcontract.alembic_bridge.authoring.autogenerate.tables import forbids, freed_of, native_enum
from expandcontract.alembic_bridge.authoring.autogenerate.values import default_of_the_code, empty_value
from expandcontract.alembic_bridge.authoring.draft import Part, sql, undecided


def added(operation: ops.AddColumnOp, around: Surroundings) -> Placement:
    """
    A new column comes so that old code, which doesn't name it, goes on inserting rows.

    Where it is NOT NULL it needs a default for that: its own, or until the contract that of the code.
    """
    table, column = key_of(operation), operation.column
    rewriting = _rewriting(column)
    if rewriting:
        remark = undecided(
            f"{rewriting} writes {shown(table)} anew while nobody can use it: fine for a small table only"
        )
        return _plain(table, column, around, remark)
    if column.server_default is not None and around.gives_each_row_its_own(column, _type_statements(column, around)):
        return _with_own_values(table, column, around)
    if column.nullable or column.server_default is not None:
        return _plain(table, column, around)
    return _with_passing_default(table, column, around)


def dropped(operation: ops.DropColumnOp, around: Surroundings) -> Placement:
    """A column goes when nobody can come back to it; until then new code may leave it out."""
    table, name = key_of(operation), operation.column_name
    column = operation.to_column()
    enabled = _dispensable(table, column)
    # by name: comparing adds those that it has reflected once more
    keys = {key.name: key for key in column.table.foreign_key_constraints if name in key.column_keys and forbids(key)}
    freed = freed_of(list(keys.values()), table)
    removing = Part(
        f"remove_from_{table[1]}",
        (steps.drop_column(bare(table), name),),
        f"What nobody uses any more goes from {shown(table)}, with its data.",
    )
    return Placement(
        table,
        expand=enabled.expand + freed.expand,
        undo=enabled.undo + freed.undo,
        contract=(Move(Wave.REMOVE, removing),),
        may=" and ".join(filter(None, (enabled.may, freed.may))) or None,
        ends=f"{shown(table, name)} goes, with its data",
    )


def _dispensable(table: Key, column: sa.Column[Any]) -> Placement:
    """What lets new code leave the column out: a default that says nothing, or where there can be none, NULL."""
    if column.nullable or column.server_default is not None:
        return Placement(table)
    value = None if _is_referring_or_unique(column) else empty_value(column.type)
    if value is None:
        change = {"modify_nullable": True}
        undo = {"modify_nullable": False}
        meets = "NULL"
    else:
        change = {"modify_server_default": sa.DefaultClause(sa.text(value))}  # type: ignore[dict-item]
        undo = {"modify_server_default": None}  # type: ignore[dict-item]
        meets = value
    part = Part(
        f"change_{table[1]}",
        (steps.alter_column(bare(table), column, **change),),
        f"New code may leave {shown(table, column.name)} out; old code then finds {meets} there.",
    )
    return Placement(
        table,
        expand=(Move(Wave.ADD, part),),
        undo=(steps.alter_column(bare(table), column, **undo),),
        may=f"leave out {shown(table, column.name)}, where old code then finds {meets}",
    )


def _is_referring_or_unique(column: sa.Column[Any]) -> bool:
    """Whether one value for many rows would be refused."""
    constraints = [each.columns for each in column.table.constraints if isinstance(each, sa.UniqueConstraint)]
    indexes = [each.columns for each in column.table.indexes if each.unique]
    return bool(column.foreign_keys) or any(column.name in columns for columns in (*constraints, *indexes))


def _plain(table: Key, column: sa.Column[Any], around: Surroundings, *remarks: MigrateOperation) -> Placement:
    return Placement(
        table,
        expand=(*_types(column, around), _coming(table, column, *remarks)),
        undo=(steps.drop_column(bare(table), column.name), *_without_types(column, around)),
        finds=shown(table, column.name),
    )


def _with_own_values(table: Key, column: sa.Column[Any], around: Surroundings) -> Placement:
    """The default is for new rows; those that are there get theirs from the backfill, in ranges."""
    coming = _copy(column, nullable=True, server_default=None)
    default = steps.alter_column(bare(table), coming, modify_server_default=column.server_default)
    plain = _plain(table, coming, around)
    *types, move = plain.expand
    part = Part(move.part.name, (*move.part.operations, default), move.part.says)
    expression = str(column.server_default.arg) if isinstance(column.server_default, sa.DefaultClause) else ""
    requirement = () if column.nullable else required(table, column)
    return Placement(
        table,
        expand=(*types, Move(Wave.ADD, part)),
        undo=plain.undo,
        fill=Fill(column.name, expression),
        contract=requirement,
        finds=plain.finds,
        ends=f"{shown(table, column.name)} is required" if requirement else None,
    )


def _with_passing_default(table: Key, column: sa.Column[Any], around: Surroundings) -> Placement:
    """NOT NULL without a default: until the contract the database gives the rows of old code a value."""
    value = default_of_the_code(column)
    remarks = []
    if value is None:
        value = empty_value(column.type)
        question = f"{shown(table, column.name)} is NOT NULL: what do rows hold that old code writes"
        if value is None:
            remark = undecided(f"{question}? Give the column a server_default, or old code's inserts fail")
            return _plain(table, column, around, remark)
        remarks.append(undecided(f"{question}? Here it is {value}"))
    coming = _copy(column, nullable=False, server_default=sa.text(value))
    plain = _plain(table, coming, around, *remarks)
    dropping = steps.alter_column(bare(table), column, modify_server_default=None, existing_nullable=False)
    part = Part(f"require_{table[1]}", (dropping,), "Every release gives the value itself.")
    return Placement(
        table,
        expand=plain.expand,
        undo=plain.undo,
        contract=(Move(Wave.REQUIRE, part),),
        finds=plain.finds,
        ends=f"{shown(table, column.name)} has no default any more",
    )


def _coming(table: Key, column: sa.Column[Any], *remarks: MigrateOperation) -> Move:
    operations = (*remarks, steps.add_column(bare(table), column))
    return Move(Wave.ADD, Part(f"change_{table[1]}", operations, f"{shown(table)} gets what old code doesn't notice."))


def _rewriting(column: sa.Column[Any]) -> str | None:
    """What about the column makes PostgreSQL write the table anew, whatever one does."""
    if column.computed is not None and column.computed.persisted is not False:
        return "a stored generated column"
    if column.identity is not None:
        return "an identity column"
    return None


def _copy(column: sa.Column[Any], **changed: Any) -> sa.Column[Any]:
    """The column under another default or nullability, without what stands on it."""
    kept = {"nullable": column.nullable, "server_default": column.server_default, "comment": column.comment}
    return sa.Column(column.name, column.type, **{**kept, **changed})


def _types(column: sa.Column[Any], around: Surroundings) -> tuple[Move, ...]:
    statements = tuple(sql(statement) for statement in _type_statements(column, around))
    return (
        (Move(Wave.PREPARE, Part(f"create_types_of_{column.table.name}", statements, "Types come first.")),)
        if statements
        else ()
    )


def _type_statements(column: sa.Column[Any], around: Surroundings) -> list[str]:
    """What makes the column's enum type; ADD COLUMN doesn't, as CREATE TABLE does."""
    enum = native_enum(column)
    if enum is None or around.has_type(str(enum.name), enum.schema):
        return []
    values = ", ".join("'" + value.replace("'", "''") + "'" for value in enum.enums)
    return [f"CREATE TYPE {steps.in_schema(str(enum.name), enum.schema)} AS ENUM ({values})"]


def _without_types(column: sa.Column[Any], around: Surroundings) -> tuple[MigrateOperation, ...]:
    enum = native_enum(column)
    return (
        (sql(f"DROP TYPE {steps.in_schema(str(enum.name), enum.schema)}"),) if enum and _types(column, around) else ()
    )
