"""Columns that change: whether they may be NULL, their type, default and comment. Alembic reports all of it at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation, ops
from sqlalchemy.types import TypeEngine

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.autogenerate.identity import changed_identity
from expandcontract.alembic_bridge.authoring.autogenerate.placement import Fill, Move, Placement, Wave
from expandcontract.alembic_bridge.authoring.autogenerate.required import required
from expandcontract.alembic_bridge.authoring.autogenerate.surroundings import Surroundings, bare, key_of, shown
from expandcontract.alembic_bridge.authoring.autogenerate.values import default_of_the_code, empty_value
from expandcontract.alembic_bridge.authoring.draft import Part, Remark, sql, undecided


def altered(operation: ops.AlterColumnOp, around: Surroundings) -> list[Placement]:
    """Each change of the column has its own place."""
    rules = (
        (operation.modify_comment is not False, _commented),
        (operation.modify_server_default is not False, _defaulted),
        (operation.modify_type is not None, _retyped),
        (operation.modify_nullable is not None, _required_or_not),
    )
    return [rule(operation, around) for applies, rule in rules if applies]


def _commented(operation: ops.AlterColumnOp, around: Surroundings) -> Placement:
    return _at_once(operation, modify_comment=operation.modify_comment, existing_comment=operation.existing_comment)


def _defaulted(operation: ops.AlterColumnOp, around: Surroundings) -> Placement:
    """New code counts on a new default from its first insert; one that goes is needed by old code until the end."""
    new, old = operation.modify_server_default, operation.existing_server_default
    column = shown(key_of(operation), operation.column_name)
    changed = {"modify_server_default": new, "existing_server_default": old or False}
    if any(isinstance(each, sa.Identity | sa.Computed) for each in (new, old)):
        remark = undecided(f"{column}: is its sequence right for old code as well")
        placed = _at_once(operation, remark, finds=column, **changed)
        return _with_identities(operation, placed, remark) if isinstance(old, sa.Identity) else placed
    if new is None:
        return _at_last(operation, f"{column} has no default any more", "Every release gives the value.", **changed)
    return _at_once(operation, finds=f"the default of {column}", **changed)


def _with_identities(operation: ops.AlterColumnOp, placed: Placement, remark: Remark) -> Placement:
    new, old = operation.modify_server_default, operation.existing_server_default
    if not (isinstance(new, sa.Identity) and isinstance(old, sa.Identity)):
        return placed
    (move,) = placed.expand
    part = replace(move.part, operations=(remark, changed_identity(operation, new, old)))
    return replace(placed, expand=(replace(move, part=part),), undo=(changed_identity(operation, old, new),))


def _retyped(operation: ops.AlterColumnOp, around: Surroundings) -> Placement:
    """In place, and never for certain: whoever has prepared a statement on the column fails once."""
    old, new = operation.existing_type, operation.modify_type
    column = shown(key_of(operation), operation.column_name)
    if old is not None and new is not None and stays_as_it_is(old, new, around):
        remark = undecided(
            f"a prepared statement that reads {column} fails once after this, and psycopg 3 and asyncpg prepare"
            " statements unasked: do yours? ec new change-type replaces the column instead"
        )
    else:
        remark = undecided(f"this writes the table of {column} anew, while nobody can use it: is it small enough")
    return _at_once(operation, remark, finds=f"the new type of {column}", modify_type=new)


def stays_as_it_is(old: TypeEngine[Any], new: TypeEngine[Any], around: Surroundings) -> bool:
    """Whether every old value is a value of the new type as well, without being written anew."""
    zones = {getattr(each, "timezone", None) for each in (old, new)}
    return len(zones) == 1 and around.changes_without_rewriting(old, new)


def _required_or_not(operation: ops.AlterColumnOp, around: Surroundings) -> Placement:
    """A value may be missing as soon as new code runs; it may not be missing when no old code can come back."""
    table, name = key_of(operation), operation.column_name
    column = shown(table, name)
    if operation.modify_nullable:
        placed = _at_once(operation, may=f"leave {column} empty", modify_nullable=True)
        return replace(placed, undo=(*_filling(operation), *placed.undo))
    known: sa.Column[Any] = sa.Column(name, operation.existing_type)
    remark, value = _missing_value(operation, around)
    holding, *others = required(table, known)
    if remark:
        holding = Move(holding.wave, Part(holding.part.name, (remark, *holding.part.operations), holding.part.says))
    return Placement(
        table,
        fill=Fill(name, value) if value is not None else None,
        contract=(holding, *others),
        ends=f"{column} is required",
    )


def _filling(operation: ops.AlterColumnOp) -> tuple[MigrateOperation, ...]:
    """Gives a value to the rows that new code has left empty, before the column is NOT NULL again."""
    value = empty_value(operation.existing_type) if operation.existing_type is not None else None
    name = steps.quoted(operation.column_name)
    table = steps.relation(bare(key_of(operation)))
    return (sql(f"UPDATE {table} SET {name} = {value} WHERE {name} IS NULL"),) if value else ()  # noqa: S608  # quoted


def _missing_value(operation: ops.AlterColumnOp, around: Surroundings) -> tuple[Remark | None, str | None]:
    """What rows without a value get, and the question where the models don't say."""
    table, name = key_of(operation), operation.column_name
    model = around.model(table)
    column = model.columns.get(name) if model is not None else None
    if column is not None:
        default = column.server_default
        value = str(default.arg) if isinstance(default, sa.DefaultClause) else default_of_the_code(column)
        if value is not None:
            return None, _quoted(value, column)
    value = empty_value(operation.existing_type) if operation.existing_type is not None else None
    return undecided(f"what do rows hold in which {shown(table, name)} is NULL? The backfill gives {value}"), value


def _quoted(value: str, column: sa.Column[Any]) -> str:
    """A default that is given as a plain string is the value itself, not SQL."""
    default = column.server_default
    if isinstance(default, sa.DefaultClause) and isinstance(default.arg, str):
        return "'" + value.replace("'", "''") + "'"
    return value


def _at_once(
    operation: ops.AlterColumnOp, *remarks: Remark, finds: str | None = None, may: str | None = None, **changed: Any
) -> Placement:
    table = key_of(operation)
    change = _alter(operation, **changed)
    part = Part(f"change_{table[1]}", (*remarks, change), f"{shown(table)} gets what old code doesn't notice.")
    undo = _undoing(operation, change)
    return Placement(table, expand=(Move(Wave.ADD, part),), undo=(undo,), finds=finds, may=may)


def _at_last(operation: ops.AlterColumnOp, ends: str, says: str, **changed: Any) -> Placement:
    table = key_of(operation)
    part = Part(f"require_{table[1]}", (_alter(operation, **changed),), says)
    return Placement(table, contract=(Move(Wave.REQUIRE, part),), ends=ends)


def _alter(operation: ops.AlterColumnOp, **changed: Any) -> ops.AlterColumnOp:
    column: sa.Column[Any] = sa.Column(operation.column_name, operation.existing_type)
    return steps.alter_column(bare(key_of(operation)), column, **changed)


def _undoing(operation: ops.AlterColumnOp, change: ops.AlterColumnOp) -> ops.AlterColumnOp:
    """The opposite of one of the operation's changes."""
    back: dict[str, Any] = {}
    if change.modify_comment is not False:
        back |= {"modify_comment": operation.existing_comment, "existing_comment": change.modify_comment}
    if change.modify_server_default is not False:
        back |= {"modify_server_default": operation.existing_server_default or None}
    if change.modify_nullable is not None:
        back |= {"modify_nullable": not change.modify_nullable}
    if change.modify_type is not None:
        column: sa.Column[Any] = sa.Column(operation.column_name, change.modify_type)
        return steps.alter_column(bare(key_of(operation)), column, modify_type=operation.existing_type)
    return _alter(operation, **back)
