"""
Indexes built CONCURRENTLY, when something of their name is there already.

Such a build commits as it goes. If it is cut short it leaves an INVALID index, or a finished one that the ledger knows
nothing of; the same statement again would fail with "already exists", and IF NOT EXISTS would take an INVALID index for
a good one (https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from alembic.operations import MigrateOperation, Operations, ops
from alembic.runtime.migration import MigrationContext

from expandcontract.alembic_bridge.recorder import record
from expandcontract.alembic_bridge.revisions import Part
from expandcontract.database import catalog
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.expressions import qualified

Builds = Callable[[str], tuple[str, ...]]  # the indexes that a text of SQL builds concurrently, as SQL names them


def built_concurrently(part: Part, builds: Builds) -> tuple[str, ...]:
    """The indexes that a part builds concurrently, as SQL names them."""
    return tuple(name for operation in record((part,)).operations for name in _built_by(operation, builds))


def clear_up(connection: psycopg.Connection[Any], indexes: tuple[str, ...]) -> frozenset[str]:
    """
    Drop those of the indexes that are INVALID, and return those that are finished.

    The connection must be in autocommit mode and have the user's search path.
    """
    finished = set()
    for index in indexes:
        is_valid = catalog.index_is_valid(PsycopgExecutor(connection), index)
        if is_valid:
            finished.add(index)
        elif is_valid is False:
            connection.execute(f"DROP INDEX CONCURRENTLY {index}".encode())
    return frozenset(finished)


@contextmanager
def passing_over(finished: frozenset[str], builds: Builds, context: MigrationContext) -> Iterator[None]:
    """While this lasts, an operation does nothing that only builds indexes which are finished."""
    with Operations.context(context) as operations:
        invoke = operations.invoke

        def invoke_unless_finished(operation: MigrateOperation) -> Any:
            built = _built_by(operation, builds) if finished else ()
            if built and finished.issuperset(built):
                return None
            return invoke(operation)

        operations.invoke = invoke_unless_finished  # type: ignore[method-assign]
        yield


def _built_by(operation: MigrateOperation, builds: Builds) -> tuple[str, ...]:
    match operation:
        case ops.CreateIndexOp() if operation.kw.get("postgresql_concurrently"):
            return (qualified(str(operation.index_name), operation.schema).as_string(None),)
        case ops.ExecuteSQLOp():
            return builds(str(operation.sqltext))
    return ()
