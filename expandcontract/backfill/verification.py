"""Whether the backfill's own predicate still finds a row, in one snapshot of the whole table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from expandcontract.database.backfill_ledger import SetAside
from expandcontract.database.catalog import regclass
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.expressions import qualified, unfilled
from expandcontract.database.row_errors import is_about_a_row
from expandcontract.database.sync_catalog import sync_columns, types
from expandcontract.domain.change import Backfill, Sync


def needy(connection: psycopg.Connection[Any], backfill: Backfill, *, new_code_wrote: bool) -> sql.Composable:
    """The condition on a row that isn't right yet, its values compared as the table's columns store them."""
    columns = sync_columns(PsycopgExecutor(connection), backfill.table, backfill.table_schema)
    source = backfill.source
    compared = {*backfill.assignments, *(source.backward if isinstance(source, Sync) else ())}
    # a column that doesn't exist is the server's to name, in its own words
    known = types(columns) if compared <= columns.keys() else None
    return unfilled(backfill, new_code_wrote=new_code_wrote, types=known)


def rows_left_in(
    connection: psycopg.Connection[Any],
    backfill: Backfill,
    *,
    new_code_wrote: bool,
    except_for: Sequence[SetAside] = (),
) -> bool:
    """
    Whether a row isn't right now, the rows `except_for` not counted.

    Reads the table, partitions included, without a lock that anybody feels. A row for which the predicate itself
    fails isn't right.
    """
    query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE {})").format(
        qualified(backfill.table, backfill.table_schema),
        _but(except_for, needy(connection, backfill, new_code_wrote=new_code_wrote)),
    )
    try:
        with connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0")
            connection.execute("SET LOCAL enable_seqscan = on")
            found = connection.execute(query).fetchone()
    except psycopg.Error as error:
        if is_about_a_row(error):
            return True
        raise
    return bool(found and found[0])


def _but(rows: Sequence[SetAside], condition: sql.Composable) -> sql.Composable:
    """CASE, because AND may evaluate either side first, and the condition may fail on those rows."""
    if not rows:
        return condition
    known = sql.SQL(" OR ").join(
        sql.SQL("(tableoid = {}::regclass AND ({}) = ({}))").format(
            sql.Literal(regclass(row.relation, row.schema)),
            sql.SQL(", ").join(sql.Identifier(name) for name in row.key.columns),
            sql.SQL(", ").join(
                sql.SQL("{}::{}").format(sql.Literal(value), sql.SQL(type_))
                for value, type_ in zip(row.values, row.key.types, strict=True)
            ),
        )
        for row in rows
    )
    return sql.SQL("CASE WHEN {} THEN false ELSE {} END").format(known, condition)
