"""What adding, validating and dropping constraints makes PostgreSQL do."""

from __future__ import annotations

from collections.abc import Callable

from expandcontract.lint.known import beside
from expandcontract.lint.schema import Schema
from expandcontract.lint.server.columns import set_not_null
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.server.server import AEL, INDEXED, SRE, SUE, Effects, Server, family, reached
from expandcontract.lint.statement import (
    Action,
    AddConstraint,
    AlterConstraint,
    Constraint,
    ConstraintKind,
    DropConstraint,
    ValidateConstraint,
)


def _add_constraint(action: AddConstraint, server: Server, found: Effects) -> None:
    constraint = action.constraint
    if constraint.kind is ConstraintKind.FOREIGN_KEY:
        found.lock(family(action.table, server), SRE)
        found.lock(family(constraint.references, server) if constraint.references else [], SRE)
        found.checks_keys |= constraint.valid and constraint.enforced
    elif constraint.kind is ConstraintKind.CHECK:
        found.lock(reached(action.table, server) if constraint.inherited else [action.table], AEL)
        found.scans |= constraint.valid and constraint.enforced
    elif constraint.kind is ConstraintKind.NOT_NULL:
        found.lock(reached(action.table, server), AEL)
        if constraint.valid:
            set_not_null(action.table, constraint.columns, server, found)
    else:
        _add_indexed_constraint(action, server, found)


def _add_indexed_constraint(action: AddConstraint, server: Server, found: Effects) -> None:
    constraint = action.constraint
    found.lock([action.table], AEL)
    found.lock(server.schema.partitions(action.table), AEL if server.version >= 18 else Lock.SHARE)
    found.builds_index |= constraint.using_index is None
    if constraint.kind is ConstraintKind.PRIMARY_KEY:
        columns = key_columns(constraint, action.table, server.schema)
        known = [column for column in columns if server.schema.column(action.table, column)]
        set_not_null(action.table, known, server, found)


def key_columns(constraint: Constraint, table: str, schema: Schema) -> tuple[str, ...]:
    """Give a key's columns, from its index where it takes one over; empty where that isn't known."""
    if constraint.using_index is None:
        return constraint.columns
    index = schema.indexes.get(beside(table, constraint.using_index))
    return tuple(column for column in index.columns if column) if index else ()


def _validate_constraint(action: ValidateConstraint, server: Server, found: Effects) -> None:
    known = server.schema.table(action.table)
    constraint = known.constraints.get(action.name) if known else None
    found.lock(family(action.table, server), SUE)
    if constraint and constraint.valid:
        return  # it is valid already
    if constraint and constraint.kind is ConstraintKind.FOREIGN_KEY:
        found.lock([constraint.references] if constraint.references else [], Lock.ROW_SHARE)
        found.checks_keys = True
    else:
        found.scans = True


def _drop_constraint(action: DropConstraint, server: Server, found: Effects) -> None:
    known = server.schema.table(action.table)
    constraint = known.constraints.get(action.name) if known else None
    alone = constraint and (constraint.kind in INDEXED or constraint.kind is ConstraintKind.FOREIGN_KEY)
    found.lock((family if alone else reached)(action.table, server), AEL)
    if constraint and constraint.references:
        found.lock(family(constraint.references, server), AEL)
    if action.cascade and (constraint is None or constraint.kind in INDEXED):
        found.lock(server.schema.referencing(action.table), AEL)


def _alter_constraint(action: AlterConstraint, server: Server, found: Effects) -> None:
    found.lock([action.table], AEL)
    known = server.schema.table(action.table)
    constraint = known.constraints.get(action.name) if known else None
    other = [constraint.references] if constraint and constraint.references else []
    if action.enforced is not None:
        found.lock(other, SRE if action.enforced else AEL)
        found.checks_keys |= action.enforced


HANDLERS: dict[type[Action], Callable[..., None]] = {
    AddConstraint: _add_constraint,
    AlterConstraint: _alter_constraint,
    DropConstraint: _drop_constraint,
    ValidateConstraint: _validate_constraint,
}
