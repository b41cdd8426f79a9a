"""A Sync's expressions are tried before any DDL runs: on an empty temporary table, without executing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from alembic.operations import ops
from psycopg import sql
from psycopg.errors import UndefinedObject
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.engine.url import URL
from sqlalchemy.schema import CreateColumn

from expandcontract.alembic_bridge.operations import refuse_unusable
from expandcontract.alembic_bridge.revisions import Revision
from expandcontract.database import catalog
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.expressions import assignments, expression, qualified, unfilled
from expandcontract.database.sync_catalog import SyncColumn, sync_columns, types
from expandcontract.database.sync_triggers import check_statement, create_statements
from expandcontract.domain.change import Backfill, Sync
from expandcontract.domain.phase import Phase
from expandcontract.errors import RevisionError, UsageError


def check_syncs(connection: psycopg.Connection[Any], revision: Revision) -> None:
    """
    Let the server judge every expression of the change's Syncs: syntax, columns, types.

    The connection must have the user's search path. What is made is temporary and rolled back.

    Raises:
        RevisionError: an expression can't work; names file, line, column and the server's words.
        psycopg.OperationalError: the server went away, or had no time.
    """
    for sync in revision.syncs:
        place = _Place(revision.file, revision.line_of(sync))
        with connection.transaction(force_rollback=True):
            _check(connection, revision, sync, place)


@dataclass(frozen=True)
class _Place:
    """Where the Sync stands."""

    file: str
    line: int | None

    def error(self, what: str, because: str | None, next_command: str | None = None) -> RevisionError:
        return RevisionError(what, file=self.file, line=self.line, because=because, next_command=next_command)


def _check(connection: psycopg.Connection[Any], revision: Revision, sync: Sync, place: _Place) -> None:
    """The Sync on a temporary table that is like its own after the expand."""
    executor = PsycopgExecutor(connection)
    schema = catalog.schema_of(executor, sync.table, sync.schema)
    known = sync_columns(executor, sync.table, schema) if schema else {}
    added = _added_columns(revision, sync)
    expected = {*sync.old_columns, *sync.new_columns} - {*known, *added}
    if expected and _has_raw_sql(revision):
        return  # a statement of the author's own may add them; create_sync checks again, in its transaction
    try:
        _make_table(connection, place, sync, schema, {name: added[name] for name in added if name not in known})
    except RevisionError as error:
        if isinstance(error.__cause__, UndefinedObject) and _has_raw_sql(revision):
            return  # such a statement may make the type, too
        raise
    like = replace(sync, schema="pg_temp")
    columns = sync_columns(executor, like.table, like.schema)
    try:
        refuse_unusable(like, columns)
    except UsageError as error:
        raise place.error(str(error), error.because, error.next_command) from None
    for direction, expressions in (("forward", sync.forward), ("backward", sync.backward)):
        for column, text in expressions.items():
            _check_expression(
                connection, place, like, f"{direction} expression for {sync.table}.{column}", column, text, columns
            )
    _check_whole(connection, place, like, columns)


def _added_columns(revision: Revision, sync: Sync) -> dict[str, Column[Any]]:
    return {
        operation.column.name: operation.column
        for operation in revision.recorded[Phase.EXPAND].operations
        if isinstance(operation, ops.AddColumnOp) and operation.table_name == sync.table
    }


def _has_raw_sql(revision: Revision) -> bool:
    recorded = revision.recorded[Phase.EXPAND]
    return not recorded.complete or any(isinstance(operation, ops.ExecuteSQLOp) for operation in recorded.operations)


def _make_table(
    connection: psycopg.Connection[Any],
    place: _Place,
    sync: Sync,
    schema: str | None,
    added: Mapping[str, Column[Any]],
) -> None:
    dialect = URL.create("postgresql+psycopg").get_dialect()()
    definitions: list[sql.Composable] = []
    if schema:
        like = "LIKE {} INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING IDENTITY"
        definitions.append(sql.SQL(like).format(qualified(sync.table, schema)))
    for column in added.values():
        # a copy in a table of its own: the author's column stays as it is
        copy = Table(sync.table, MetaData(), column._copy()).columns[column.name]
        definitions.append(sql.SQL(str(CreateColumn(copy).compile(dialect=dialect)).replace("%%", "%")))
    try:
        connection.execute(
            sql.SQL("CREATE TEMPORARY TABLE {} ({})").format(
                sql.Identifier(sync.table), sql.SQL(", ").join(definitions)
            )
        )
    except psycopg.OperationalError:  # the server, and no judgement
        raise
    except psycopg.Error as error:
        what = f"the columns that this change adds to {sync.table} can't be made"
        raise place.error(what, _server_words(error)) from error


def _check_expression(
    connection: psycopg.Connection[Any],
    place: _Place,
    sync: Sync,
    what: str,
    column: str,
    text: str,
    columns: Mapping[str, SyncColumn],
) -> None:
    try:
        connection.execute(check_statement(sync, column, text, columns).encode())
        volatile = _is_volatile(connection, sync, text)
    except psycopg.OperationalError:  # the server, and no judgement
        raise
    except psycopg.Error as error:
        names = ", ".join((*sync.old_columns, *sync.new_columns))
        raise place.error(
            f"the Sync's {what} can't work: {text}",
            _server_words(error),
            f"mend the expression; it may use the columns {names} (name others in reads=)",
        ) from None
    if volatile:
        raise place.error(
            f"the Sync's {what} can't work: {text}",
            "it calls a volatile function, which gives another value each time, so no row would ever be right",
            "let it depend on the row alone",
        )


def _is_volatile(connection: psycopg.Connection[Any], sync: Sync, text: str) -> bool:
    """The planner's own opinion: it never merges a subquery that calls volatile functions into the query around it."""
    query = sql.SQL("EXPLAIN (FORMAT JSON) WITH ec_value AS (SELECT {} FROM {}) SELECT * FROM ec_value").format(
        expression(text), qualified(sync.table, sync.schema)
    )
    row = connection.execute(query).fetchone()
    return bool(row and row[0][0]["Plan"].get("CTE Name") == "ec_value")


def _check_whole(
    connection: psycopg.Connection[Any], place: _Place, sync: Sync, columns: Mapping[str, SyncColumn]
) -> None:
    """The triggers themselves, and the backfill's predicate."""
    wrong = unfilled(Backfill(sync), new_code_wrote=True, types=types(columns))
    try:
        table = qualified(sync.table, "pg_temp")
        connection.execute(sql.SQL("EXPLAIN SELECT FROM {} WHERE {}").format(table, wrong))
        # an UPDATE casts less than the assignment in a trigger does
        connection.execute(sql.SQL("EXPLAIN UPDATE {} SET {}").format(table, assignments(sync.forward)))
        for statement in create_statements(sync, columns):
            connection.execute(statement.encode())
    except psycopg.OperationalError:  # the server, and no judgement
        raise
    except psycopg.Error as error:
        raise place.error(f"the Sync of {sync.table} can't work", _server_words(error)) from None


def _server_words(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error)
