"""``op.create_sync`` and ``op.drop_sync``: registered with Alembic when this module is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from alembic.operations import MigrateOperation, Operations
from sqlalchemy import DDL

from expandcontract.alembic_bridge.sqlalchemy_executor import SqlalchemyExecutor
from expandcontract.database import catalog
from expandcontract.database.sync_catalog import SyncColumn, depends_on_search_path, sync_columns, trigger_functions
from expandcontract.database.sync_triggers import (
    check_statement,
    create_statements,
    drop_statements,
    probe_view,
    trigger_names,
)
from expandcontract.domain.change import Sync
from expandcontract.errors import UsageError


@Operations.register_operation("create_sync")
class CreateSyncOp(MigrateOperation):
    """Install the triggers of a `Sync`. Reverses to `DropSyncOp`."""

    def __init__(self, sync: Sync) -> None:
        self.sync = sync

    @classmethod
    def create_sync(cls, operations: Operations, sync: Sync) -> None:
        """
        Install row triggers that keep both shapes of `sync` current, whichever colour writes.

        Put it after the new columns, in the same part: the triggers and the columns then come in one transaction.
        """
        operations.invoke(cls(sync))

    def reverse(self) -> DropSyncOp:
        """The operation that undoes this one."""
        return DropSyncOp(self.sync)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """How Alembic names it in a diff."""
        return ("create_sync", self.sync)


@Operations.register_operation("drop_sync")
class DropSyncOp(MigrateOperation):
    """Remove the triggers of a `Sync`. Reverses to `CreateSyncOp`."""

    def __init__(self, sync: Sync) -> None:
        self.sync = sync

    @classmethod
    def drop_sync(cls, operations: Operations, sync: Sync) -> None:
        """Remove the triggers of `sync`. Put it before the columns that they write, in the same part."""
        operations.invoke(cls(sync))

    def reverse(self) -> CreateSyncOp:
        """The operation that undoes this one."""
        return CreateSyncOp(self.sync)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """How Alembic names it in a diff."""
        return ("drop_sync", self.sync)


@Operations.implementation_for(CreateSyncOp)
def _create_sync(operations: Operations, operation: CreateSyncOp) -> None:
    sync = operation.sync
    context = operations.get_context()
    if context.as_sql or context.connection is None:
        _run(operations, catalog.no_defaults_guard(sync.table, sync.schema, (*sync.backward, *sync.new_columns)))
        statements = create_statements(sync, {})
    else:
        statements = _looked_up(operations, sync, SqlalchemyExecutor(context.connection))
    for statement in statements:
        _run(operations, statement)


def _looked_up(operations: Operations, sync: Sync, executor: SqlalchemyExecutor) -> list[str]:
    """
    The statements for the table as it is now, its columns added.

    Under plain Alembic nobody has tried the expressions, and a trigger function isn't checked when it is created: the
    first write of the old code would find out.
    """
    schema = catalog.schema_of(executor, sync.table, sync.schema)
    if schema is None:
        raise UsageError(f"the Sync's table {sync.table} doesn't exist", because="no schema on the search path has it")
    sync = replace(sync, schema=schema)
    columns = sync_columns(executor, sync.table, schema)
    refuse_unusable(sync, columns)
    for column, text in (*sync.forward.items(), *sync.backward.items()):
        _run(operations, check_statement(sync, column, text, columns))
    probe, create_probe = probe_view(sync)
    _run(operations, create_probe)
    pin = depends_on_search_path(executor, probe, sync.table, schema)
    _run(operations, f"DROP VIEW {catalog.regclass(probe, schema)}")
    return create_statements(sync, columns, pin_search_path=pin)


def refuse_unusable(sync: Sync, columns: Mapping[str, SyncColumn]) -> None:
    """
    Refuse a Sync whose triggers couldn't tell what a writer wrote.

    Raises:
        UsageError: a column is missing, generated, an identity, or has a volatile default.
    """
    names = (*sync.old_columns, *sync.new_columns)
    missing = [name for name in names if name not in columns]
    if missing:
        raise UsageError(
            f"the Sync names {sync.table}.{missing[0]}, which doesn't exist",
            next_command="add the column before op.create_sync, or correct its name",
        )
    written = {*sync.backward, *sync.new_columns}
    for name in names:
        why = columns[name].unusable
        if why and (name in written or why == "is generated"):
            raise UsageError(
                f"a Sync of {sync.table} can't use the column {name}: it {why}",
                because="its triggers couldn't tell what a writer wrote",
                next_command=(
                    "name the columns that it is generated from" if why == "is generated" else "drop that default first"
                ),
            )


@Operations.implementation_for(DropSyncOp)
def _drop_sync(operations: Operations, operation: DropSyncOp) -> None:
    sync = operation.sync
    context = operations.get_context()
    functions = None
    if not context.as_sql and context.connection is not None:
        executor = SqlalchemyExecutor(context.connection)
        called = trigger_functions(executor, sync.table, sync.schema)
        found = [called[name] for name in sorted(trigger_names(sync)) if name in called]
        functions = list(dict.fromkeys(found))
    for statement in drop_statements(sync, functions):
        _run(operations, statement)


def _run(operations: Operations, statement: str) -> None:
    context = operations.get_context()
    if context.as_sql:
        # Alembic would double percent signs for some drivers, and turn tabs into blanks
        context.impl.static_output(statement + context.impl.command_terminator)
    else:
        # DDL() takes neither bind parameters nor colons, only percent signs, which it halves.
        operations.execute(DDL(statement.replace("%", "%%")))  # type: ignore[no-untyped-call,unused-ignore]
