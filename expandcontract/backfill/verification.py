"""Whether the backfill's own predicate still finds a row: in one range, in the whole table, or along it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.errors import QueryCanceled

from expandcontract.backfill.ranges import Walk
from expandcontract.backfill.stretches import find_stretches, next_upper, refuse_hidden_rows, walking
from expandcontract.database.backfill_records import KeyValue, SetAside
from expandcontract.database.catalog import regclass
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.expressions import qualified, unfilled
from expandcontract.database.row_errors import is_about_a_row
from expandcontract.database.sync_catalog import sync_columns, types
from expandcontract.domain.change import Backfill, Sync

_ROWS_AT_ONCE = 10_000


def needy(connection: psycopg.Connection[Any], backfill: Backfill, *, new_code_wrote: bool) -> sql.Composable:
    """The condition on a row that isn't right yet, its values compared as the table's columns store them."""
    columns = sync_columns(PsycopgExecutor(connection), backfill.table, backfill.table_schema)
    source = backfill.source
    compared = {*backfill.assignments, *(source.backward if isinstance(source, Sync) else ())}
    # a column that doesn't exist is the server's to name, in its own words
    known = types(columns) if compared <= columns.keys() else None
    return unfilled(backfill, new_code_wrote=new_code_wrote, types=known)


def look(
    connection: psycopg.Connection[Any],
    walk: Walk,
    lower: KeyValue | None,
    upper: KeyValue,
    condition: sql.Composable,
    except_for: Sequence[SetAside] = (),
) -> tuple[int, int]:
    """
    How many rows the range has, and for how many of them the condition holds, the rows `except_for` not counted.

    A row for which the condition itself fails isn't right, and then it isn't known how many others are not.
    """
    query = sql.SQL("SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE {}) FROM {} WHERE {}").format(
        _but(except_for, condition), walk.table, walk.within(lower, upper)
    )
    try:
        with connection.transaction():
            found = connection.execute(query).fetchone()
    except psycopg.Error as error:
        if not is_about_a_row(error):
            raise
        counted = connection.execute(walk.count(lower, upper)).fetchone()
        return (int(counted[0]) if counted else 0), 1
    return (int(found[0]), int(found[1])) if found else (0, 0)


def look_along(
    connection: psycopg.Connection[Any],
    backfill: Backfill,
    *,
    new_code_wrote: bool,
    after_each: Callable[[int], None] = lambda rows: None,
) -> tuple[int, int]:
    """
    How many rows the table has and how many need the backfill, looked at range by range in short statements.

    Args:
        connection: in autocommit mode, with the user's search path.
        backfill: the declaration.
        new_code_wrote: whether a release that ships the change ever had traffic.
        after_each: told how many rows a range had; where it sleeps, or raises, the look waits or ends.
    """
    condition = needy(connection, backfill, new_code_wrote=new_code_wrote)
    with connection.transaction():
        stretches = find_stretches(connection, backfill)
    all_seen = all_found = 0
    for stretch in stretches:
        lower = None
        while stretch.last_key is not None and lower != stretch.last_key:
            walk = Walk(backfill, replace(stretch, upper_key=lower))
            with connection.transaction():
                connection.execute("SET LOCAL enable_seqscan = off")
                walking(connection)
                upper = stretch.last_key
                if stretch.can_be_verified_in_ranges:
                    upper, _ = next_upper(connection, walk, stretch.last_key, _ROWS_AT_ONCE)
                seen, found = look(connection, walk, lower, upper, condition)
            all_seen, all_found, lower = all_seen + seen, all_found + found, upper
            after_each(seen)
    return all_seen, all_found


def rows_left_in(
    connection: psycopg.Connection[Any],
    backfill: Backfill,
    *,
    new_code_wrote: bool,
    patience: timedelta | None = None,
) -> bool | None:
    """
    Whether a row isn't right now, in one snapshot of the whole table; None where `patience` didn't suffice.

    Reads the table, partitions included, without a lock that anybody feels. A row for which the predicate itself
    fails isn't right.

    Raises:
        UsageError: rows are hidden from us.
    """
    refuse_hidden_rows(connection, backfill)
    query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE {})").format(
        qualified(backfill.table, backfill.table_schema),
        needy(connection, backfill, new_code_wrote=new_code_wrote),
    )
    limit = 0 if patience is None else patience // timedelta(milliseconds=1)
    try:
        with connection.transaction():
            connection.execute("SELECT pg_catalog.set_config('statement_timeout', %s, true)", [str(limit)])
            connection.execute("SET LOCAL enable_seqscan = on")
            found = connection.execute(query).fetchone()
    except QueryCanceled:
        if patience is None:
            raise
        return None
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
