"""What adding, dropping and changing columns makes PostgreSQL do."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from expandcontract.lint.known import KnownTable
from expandcontract.lint.schema import Schema
from expandcontract.lint.server.server import AEL, INDEXED, SRE, SUE, Effects, Server, family, reached, with_rows
from expandcontract.lint.server.type_change import convert, is_plain_cast
from expandcontract.lint.server.volatility import volatile_functions
from expandcontract.lint.sqltype import SqlType
from expandcontract.lint.statement import (
    Action,
    AddColumn,
    AlterColumn,
    ChangeType,
    ColumnChange,
    Constraint,
    ConstraintKind,
    DropColumn,
)


def default_is_volatile(action: AddColumn, server: Server) -> bool:
    """Whether the column's default has to be worked out for every existing row."""
    default = action.column.default
    return bool(default and volatile_functions(default, server.schema, server.version))


def column_is_rewritten(action: AddColumn, server: Server) -> bool:
    """Whether adding the column writes every existing row anew."""
    column = action.column
    if action.if_not_exists and server.schema.column(action.table, column.name):
        return False
    domain = server.schema.domain_of(column.type)
    if column.generated == "stored" or column.identity or column.type.serial or (domain and domain.constrained):
        return True
    if column.default is None or column.default.is_null:
        return False
    return server.version < 11 or default_is_volatile(action, server)


def _add_column(action: AddColumn, server: Server, found: Effects) -> None:
    found.lock(reached(action.table, server), AEL)
    column = action.column
    if action.if_not_exists and server.schema.column(action.table, column.name):
        return
    if column_is_rewritten(action, server):
        found.rewrites.update(with_rows(action.table, server))
    domain = server.schema.domain_of(column.type)
    has_default = column.has_default or bool(domain and domain.has_default)
    if column.not_null and not has_default and not found.rewrites:
        found.scans = True  # it fails on the first row, and reads an empty table to its end
    for constraint in column.constraints:
        if constraint.kind is ConstraintKind.FOREIGN_KEY and constraint.references:
            found.lock([constraint.references], SRE)
            # DEFAULT NULL as well; an identity isn't a default to PostgreSQL
            found.checks_keys |= column.default is not None or column.type.serial or column.generated is not None
        elif constraint.kind is ConstraintKind.CHECK and constraint.enforced:
            found.scans |= not found.rewrites
        elif constraint.kind in INDEXED:
            found.builds_index |= not found.rewrites


def _drop_column(action: DropColumn, server: Server, found: Effects) -> None:
    found.lock(reached(action.table, server), AEL)
    known = server.schema.table(action.table) or KnownTable()
    keys = [key.references for key in known.foreign_keys() if action.column in key.columns and key.references]
    found.lock([name for key in keys for name in family(key, server)], AEL)
    if action.cascade:
        found.lock([name for name, _ in _keyed_to(action.table, action.column, server.schema)], AEL)
        found.lock(server.schema.views_reading(action.table, action.column), AEL)


def _keyed_to(table: str, column: str, schema: Schema) -> list[tuple[str, Constraint]]:
    """Give the foreign keys to this column, each with its table."""
    known = schema.table(table) or KnownTable()
    return [
        (name, key)
        for name in schema.referencing(table)
        for key in schema.tables[name].foreign_keys()
        if key.references == table and column in _referenced_columns(key, known)
    ]


def _change_type(action: ChangeType, server: Server, found: Effects) -> None:
    found.lock(reached(action.table, server), AEL)
    schema = server.schema
    facts = schema.column(action.table, action.column)
    table = schema.table(action.table) or KnownTable()
    keyed = _keyed_to(action.table, action.column, schema)
    own = [key for key in table.foreign_keys() if action.column in key.columns]
    found.lock([*(name for name, _ in keyed), *(key.references for key in own if key.references)], AEL)
    if type_is_rewritten(action, server):
        found.rewrites.update(with_rows(action.table, server))
        found.checks_keys |= any(key.valid and key.enforced for key in (*own, *(key for _, key in keyed)))
        return
    found.builds_index |= type_rebuilds_index(action, server)
    found.scans |= facts is not None and any(
        action.column in check.columns() for check in server.checks_of(action.table)
    )


def _referenced_columns(key: Constraint, table: KnownTable) -> tuple[str, ...]:
    if key.referenced_columns:
        return key.referenced_columns
    primary = [each for each in table.constraints.values() if each.kind is ConstraintKind.PRIMARY_KEY]
    return primary[0].columns if primary else ()


def type_is_rewritten(action: ChangeType, server: Server) -> bool:
    """Whether the type change writes every row anew; True as well where the old type isn't known."""
    facts = server.schema.column(action.table, action.column)
    if facts is None or not is_plain_cast(action.using, action.column):
        return True
    return convert(
        facts.type,
        action.type,
        action.using,
        schema=server.schema,
        version=server.version,
        time_zone=server.time_zone,
    ).rewrites


def narrows(old: SqlType, action: ChangeType, server: Server) -> bool:
    """Whether a value of the old type may not fit into the new one."""
    if not is_plain_cast(action.using, action.column):
        return False
    return convert(
        old,
        action.type,
        action.using,
        schema=server.schema,
        version=server.version,
        time_zone=server.time_zone,
    ).narrows


def type_rebuilds_index(action: ChangeType, server: Server) -> bool:
    """
    Whether a type change that leaves the rows alone rebuilds an index on the column.

    Follows CheckIndexCompatible() in the server's indexcmds.c.
    """
    facts = server.schema.column(action.table, action.column)
    if facts is None:
        return False
    reordered = convert(
        facts.type,
        action.type,
        None,
        schema=server.schema,
        version=server.version,
        time_zone=server.time_zone,
    ).changes_order
    reordered |= action.collation != facts.collation
    for index in server.schema.indexes_of(action.table):
        plain = action.column in index.columns
        computed = bool(index.reads) or index.partial or None in index.columns
        if (plain and (reordered or computed)) or action.column in index.reads:
            return True
    return False


def _alter_column(action: AlterColumn, server: Server, found: Effects) -> None:
    if action.change in (ColumnChange.SET_STATISTICS, ColumnChange.SET_OPTIONS):
        statistics = action.change is ColumnChange.SET_STATISTICS
        found.lock(reached(action.table, server) if statistics else [action.table], SUE)
        return
    alone = action.change is ColumnChange.SET_COMPRESSION
    found.lock([action.table] if alone else reached(action.table, server), AEL)
    if action.change is ColumnChange.SET_EXPRESSION:
        facts = server.schema.column(action.table, action.column)
        if not facts or facts.generated != "virtual":
            found.rewrites.update(with_rows(action.table, server))
    elif action.change is ColumnChange.SET_NOT_NULL:
        set_not_null(action.table, [action.column], server, found)


def not_null_is_proven(table: str, column: str, server: Server) -> bool:
    """Whether a validated CHECK spares the scan of SET NOT NULL; PostgreSQL looks for one since 12."""
    return server.version >= 12 and any(check.proves_not_null(column) for check in server.checks_of(table))


def set_not_null(table: str, columns: Iterable[str], server: Server, found: Effects) -> None:
    """Note what it takes to make sure that no row has a NULL in these columns."""
    for column in columns:
        if server.schema.column_not_null(table, column):
            continue
        if not_null_is_proven(table, column, server):
            found.proof_used = True
        else:
            found.scans = True


HANDLERS: dict[type[Action], Callable[..., None]] = {
    AddColumn: _add_column,
    AlterColumn: _alter_column,
    ChangeType: _change_type,
    DropColumn: _drop_column,
}
