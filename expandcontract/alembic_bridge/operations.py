"""``op.create_sync`` and ``op.drop_sync``: registered with Alembic when this module is imported."""

from __future__ import annotations

from typing import Any

from alembic.operations import MigrateOperation, Operations
from sqlalchemy import DDL

from expandcontract.database import catalog
from expandcontract.database.executor import SqlalchemyExecutor
from expandcontract.database.sync_triggers import create_statements, drop_statements
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
        schema, defaults = None, {}
    else:
        executor = SqlalchemyExecutor(context.connection)
        schema = catalog.schema_of(executor, sync.table, sync.schema)
        defaults = _defaults(sync, catalog.columns(executor, sync.table, sync.schema))
    for statement in create_statements(sync, defaults, schema):
        _run(operations, statement)


def _defaults(sync: Sync, columns: dict[str, catalog.Column]) -> dict[str, str]:
    """The defaults of the columns that the Sync writes."""
    written = (*sync.backward, *sync.new_columns)
    unusable = [
        name
        for name in written
        if name in columns and (columns[name].is_generated or columns[name].has_volatile_default)
    ]
    if unusable:
        raise UsageError(
            f"a Sync of {sync.table} can't write {', '.join(unusable)}",
            because="it is generated, or has a volatile default, so nobody can tell what the writer wrote",
            next_command="drop that default first, or leave the column out of the Sync",
        )
    return {name: default for name in written if name in columns and (default := columns[name].default) is not None}


@Operations.implementation_for(DropSyncOp)
def _drop_sync(operations: Operations, operation: DropSyncOp) -> None:
    for statement in drop_statements(operation.sync):
        _run(operations, statement)


def _run(operations: Operations, statement: str) -> None:
    # DDL() takes neither bind parameters nor colons, only percent signs, which it halves.
    operations.execute(DDL(statement.replace("%", "%%")))  # type: ignore[no-untyped-call,unused-ignore]
