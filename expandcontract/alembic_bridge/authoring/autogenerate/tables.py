"""Tables that come and go, and their comments."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation, ops
from sqlalchemy.dialects import postgresql

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.autogenerate.placement import Move, Placement, Wave
from expandcontract.alembic_bridge.authoring.autogenerate.surroundings import Key, Surroundings, bare, key_of, shown
from expandcontract.alembic_bridge.authoring.draft import Part, sql


def created(operation: ops.CreateTableOp, around: Surroundings) -> Placement:
    """A new table is nothing to old code."""
    table = key_of(operation)
    part = Part(f"create_{table[1]}", (operation,), f"The table {shown(table)} comes; nobody uses it yet.")
    return Placement(
        table,
        expand=(Move(Wave.ADD, part),),
        undo=(ops.DropTableOp(table[1], schema=table[0]), *_types_made_for(operation.to_table().columns, around)),
        finds=f"the table {shown(table)}",
    )


def dropped(operation: ops.DropTableOp, around: Surroundings) -> Placement:
    """
    A table goes when nobody can come back to it.

    Old code goes on writing it until then. Its foreign keys would forbid new code, which knows nothing of its rows, to
    delete the rows that they refer to: those that forbid go at once.
    """
    table = key_of(operation)
    forbidding = [
        key for key in operation.to_table().foreign_key_constraints if forbids(key) and not _to_gone(key, around)
    ]
    freed = [_freed(key, table) for key in forbidding]
    return Placement(
        table,
        expand=tuple(move for move, _ in freed),
        undo=tuple(operation for _, operation in freed),
        contract=(
            Move(
                Wave.CLEAR,
                Part(
                    f"drop_{table[1]}",
                    (ops.DropTableOp(table[1], schema=table[0]),),
                    f"The table {shown(table)} goes, with its data.",
                ),
                alone=True,
            ),
        ),
        may=_may_delete(forbidding, table),
        ends=f"the table {shown(table)} goes, with its data",
    )


def commented(operation: ops.CreateTableCommentOp | ops.DropTableCommentOp, around: Surroundings) -> Placement:
    """A comment is nothing to code."""
    table = key_of(operation)
    part = Part(f"change_{table[1]}", (operation,), f"{shown(table)} gets what old code doesn't notice.")
    return Placement(table, expand=(Move(Wave.ADD, part),), undo=(operation.reverse(),))


def forbids(key: sa.ForeignKeyConstraint) -> bool:
    """Whether the key forbids to delete a row that is referred to, instead of doing something about it."""
    return (key.ondelete or "NO ACTION").upper() in ("NO ACTION", "RESTRICT")


def freed_of(keys: list[sa.ForeignKeyConstraint], table: tuple[str | None, str]) -> Placement:
    """What makes room for code that deletes what these keys refer to without knowing of them."""
    freed = [_freed(key, table) for key in keys]
    return Placement(
        table,
        expand=tuple(move for move, _ in freed),
        undo=tuple(operation for _, operation in freed),
        may=_may_delete(keys, table),
    )


def _freed(key: sa.ForeignKeyConstraint, table: tuple[str | None, str]) -> tuple[Move, MigrateOperation]:
    part = Part(
        f"release_{key.name}",
        (steps.drop_constraint(bare(table), str(key.name), "foreignkey"),),
        f"New code, which doesn't know {shown(table)}.{', '.join(key.column_keys)}, may delete what that refers to.",
    )
    return Move(Wave.ADD, part, alone=True), ops.AddConstraintOp.from_constraint(key)


def _may_delete(keys: list[sa.ForeignKeyConstraint], table: tuple[str | None, str]) -> str | None:
    targets = dict.fromkeys(key.referred_table.name for key in keys)
    return f"delete rows of {', '.join(targets)} that {shown(table)} refers to" if targets else None


def _to_gone(key: sa.ForeignKeyConstraint, around: Surroundings) -> bool:
    return around.is_gone_table((key.referred_table.schema, key.referred_table.name))


def _types_made_for(columns: Any, around: Surroundings) -> list[MigrateOperation]:
    """What drops the enum types that CREATE TABLE makes along with the table, and DROP TABLE would leave."""
    return [
        sql(f"DROP TYPE {steps.in_schema(str(enum.name), enum.schema)}")
        for column in columns
        if (enum := native_enum(column)) is not None and not around.has_type(str(enum.name), enum.schema)
    ]


def native_enum(column: sa.Column[Any]) -> postgresql.ENUM | sa.Enum | None:
    """The column's type, where that is an enum which PostgreSQL knows by a name."""
    kind = column.type.item_type if isinstance(column.type, sa.ARRAY) else column.type
    return kind if isinstance(kind, sa.Enum) and kind.native_enum and kind.name else None


def types_gone(around: Surroundings) -> list[Placement]:
    """Enum types that only what goes has used: neither DROP COLUMN nor DROP TABLE takes them along."""
    gone: dict[tuple[str | None, str], Key] = {}
    for difference in around.differences:
        match difference:
            case ops.DropTableOp():
                columns = list(difference.to_table().columns)
            case ops.DropColumnOp():
                columns = [difference.to_column()]
            case _:
                continue
        for column in columns:
            enum = native_enum(column)
            if enum is not None and not around.models_use_type(str(enum.name)):
                gone.setdefault((enum.schema, str(enum.name)), key_of(difference))
    return [
        Placement(
            table,
            contract=(
                Move(
                    Wave.CLEAR,
                    Part(f"drop_type_{name}", (sql(f"DROP TYPE {steps.in_schema(name, schema)}"),), "Nothing uses it."),
                    alone=True,
                ),
            ),
            ends=f"the type {name} goes",
        )
        for (schema, name), table in gone.items()
    ]
