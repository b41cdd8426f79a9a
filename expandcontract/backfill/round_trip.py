"""Whether the way back of a Sync gives what was there: its expressions on a sample of rows, without writing."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from expandcontract.backfill.stretches import estimated_rows
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.expressions import all_equal, expression, qualified
from expandcontract.database.row_errors import is_about_a_row
from expandcontract.database.sync_catalog import sync_columns, types
from expandcontract.domain.change import Backfill, Sync

_ROWS = 1000


def losses(connection: psycopg.Connection[Any], backfill: Backfill) -> list[str]:
    """
    A sentence where some rows, taken forward and back, aren't what they were.

    The code that reads the old shape would find them changed, once new code has written them.
    """
    sync = backfill.source
    if not isinstance(sync, Sync) or not sync.backward:
        return []
    columns = sync_columns(PsycopgExecutor(connection), sync.table, sync.schema)
    if not {*sync.old_columns, *sync.new_columns} <= columns.keys():
        return []  # the server names what is missing as soon as rows are moved
    try:
        with connection.transaction():
            query = _query(sync, types(columns), _percent(connection, backfill))
            seen, lost = connection.execute(query).fetchone() or (0, 0)
    except psycopg.Error as error:
        if not is_about_a_row(error):
            raise
        words = error.diag.message_primary or str(error)
        return [f"whether the Sync of {sync.table} loses anything can't be told from a sample: {words}"]
    if not lost:
        return []
    old = ", ".join(sync.backward)
    return [
        f"the Sync of {sync.table} loses something: for {lost} of {seen} rows looked at, {old} computed back isn't what"
        " it was; old code will read the difference once new code has written such a row"
    ]


def _query(sync: Sync, known: dict[str, str], percent: float) -> sql.Composed:
    """Over the old columns and what `forward` makes of them, under the table's name: do the old ones come back?"""
    name = sql.Identifier(sync.table)
    forward = sql.SQL(", ").join(
        sql.SQL("CAST({} AS {}) AS {}").format(expression(text), sql.SQL(known[column]), sql.Identifier(column))
        for column, text in sync.forward.items()
    )
    return sql.SQL(
        "SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE NOT ({same})) FROM ("
        "SELECT {old}, {forward} FROM (SELECT {old} FROM {table} TABLESAMPLE SYSTEM ({percent}) LIMIT {rows}) AS {name}"
        ") AS {name}"
    ).format(
        same=all_equal(sync.backward, known),
        old=sql.SQL(", ").join(map(sql.Identifier, sync.old_columns)),
        forward=forward,
        table=qualified(sync.table, sync.schema),
        percent=sql.Literal(percent),
        rows=sql.Literal(_ROWS),
        name=name,
    )


def _percent(connection: psycopg.Connection[Any], backfill: Backfill) -> float:
    """Of the table's pages: as many as surely have the rows, and spread all over it."""
    return min(100.0, 100.0 * 10 * _ROWS / max(1, estimated_rows(connection, backfill)))
