"""A Sync's expressions are tried before any DDL runs: on an empty temporary table, without executing them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from alembic.operations import ops
from psycopg import sql
from sqlalchemy.engine.url import URL

from expandcontract.alembic_bridge.revisions import Revision
from expandcontract.database import catalog
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.expressions import all_equal, assignments
from expandcontract.domain.change import Sync
from expandcontract.domain.phase import Phase
from expandcontract.errors import RevisionError


def check_syncs(connection: psycopg.Connection[Any], revision: Revision) -> None:
    """
    Let the server judge every expression of the change's Syncs: syntax, columns, types.

    The connection must have the user's search path. What is made is temporary and rolled back.

    Raises:
        RevisionError: an expression can't work; names file, column and the server's words.
    """
    for sync in revision.syncs:
        types = _column_types(connection, revision, sync)
        _check(connection, revision, sync, "forward", sync.forward, types)
        _check(connection, revision, sync, "backward", sync.backward, types)


def _column_types(connection: psycopg.Connection[Any], revision: Revision, sync: Sync) -> dict[str, str]:
    """The types of the Sync's columns: as they are, or as this change's expand adds them."""
    known = catalog.columns(PsycopgExecutor(connection), sync.table, sync.schema)
    dialect = URL.create("postgresql+psycopg").get_dialect()()
    added = {
        operation.column.name: operation.column.type.compile(dialect=dialect)
        for operation in revision.recorded[Phase.EXPAND].operations
        if isinstance(operation, ops.AddColumnOp) and operation.table_name == sync.table
    }
    names = (*sync.old_columns, *sync.new_columns)
    missing = [name for name in names if name not in known and name not in added]
    if missing:
        raise RevisionError(
            f"the Sync names {sync.table}.{missing[0]}, which doesn't exist and isn't added by this change",
            file=revision.file,
        )
    return {name: added.get(name) or known[name].type for name in names}


def _check(
    connection: psycopg.Connection[Any],
    revision: Revision,
    sync: Sync,
    direction: str,
    expressions: Mapping[str, str],
    types: Mapping[str, str],
) -> None:
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type_)) for name, type_ in types.items()
    )
    table = sql.Identifier(sync.table)
    for column, text in expressions.items():
        one = {column: text}
        try:
            with connection.transaction(force_rollback=True):
                connection.execute(sql.SQL("CREATE TEMPORARY TABLE {} ({})").format(table, columns))
                connection.execute(
                    sql.SQL("EXPLAIN UPDATE pg_temp.{} SET {} WHERE NOT ({})").format(
                        table, assignments(one), all_equal(one)
                    )
                )
        except psycopg.Error as error:
            raise RevisionError(
                f"the Sync's {direction} expression for {sync.table}.{column} can't work: {text}",
                file=revision.file,
                because=error.diag.message_primary or str(error),
                next_command=f"mend the expression; it may use the columns {', '.join(types)} (name others in reads=)",
            ) from None
