"""
Indexes built CONCURRENTLY, when the part that builds them runs a second time.

Such a build commits as it goes. If it is cut short it leaves an INVALID index, or a finished one that the ledger knows
nothing of; the same statement again would fail with "already exists", and IF NOT EXISTS would take an INVALID index for
a good one (https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY).
"""

from __future__ import annotations

from collections.abc import Iterator
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


def clear_up(connection: psycopg.Connection[Any], part: Part) -> frozenset[str]:
    """
    Drop the INVALID indexes that an earlier run of `part` left, and return the names of those that it finished.

    The connection must be in autocommit mode and have the user's search path.
    """
    finished = set()
    for index in _built_concurrently(part):
        name = str(index.index_name)
        is_valid = catalog.index_is_valid(PsycopgExecutor(connection), name, index.schema)
        if is_valid:
            finished.add(name)
        elif is_valid is False:
            connection.execute("DROP INDEX CONCURRENTLY " + qualified(name, index.schema).as_string(None))
    return frozenset(finished)


@contextmanager
def passing_over(finished: frozenset[str], context: MigrationContext) -> Iterator[None]:
    """While this lasts, ``op.create_index`` does nothing for the indexes that are finished."""
    with Operations.context(context) as operations:
        invoke = operations.invoke

        def invoke_unless_finished(operation: MigrateOperation) -> Any:
            if isinstance(operation, ops.CreateIndexOp) and operation.index_name in finished:
                return None
            return invoke(operation)

        operations.invoke = invoke_unless_finished  # type: ignore[method-assign]
        yield


def _built_concurrently(part: Part) -> list[ops.CreateIndexOp]:
    return [
        operation
        for operation in record((part,)).operations
        if isinstance(operation, ops.CreateIndexOp) and operation.kw.get("postgresql_concurrently")
    ]
