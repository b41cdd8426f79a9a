"""What a pass walks along: the table, or each of its partitions, by a key or else by ctid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
from psycopg import sql

from expandcontract.backfill.ranges import Walk, has_turns
from expandcontract.database import catalog
from expandcontract.database.backfill_records import CTID, KeyValue, Stretch
from expandcontract.database.executor import Executor, PsycopgExecutor
from expandcontract.database.expressions import qualified
from expandcontract.domain.change import Backfill
from expandcontract.domain.turns import fitting_turns
from expandcontract.errors import UsageError

_LAST_ON_PAGE = 65535  # no row has this offset, so "(9,65535)" is the end of page 9
_GUESSED_ROWS_PER_PAGE = 60.0
_SAMPLED_PAGES = 500  # which gives the number of rows within a tenth, and is read in no time


def walking(connection: psycopg.Connection[Any]) -> None:
    """
    Until the transaction ends, a walk reads the keys that it passes and no others, and gives them as text.

    Without statistics a planner would rather sort all the rest of the table than walk past a few thousand keys. The
    text is one that every session reads alike: keys travel among machines.
    """
    settings = {"enable_bitmapscan": "off", "enable_sort": "off", "enable_incremental_sort": "off"}
    settings |= {"DateStyle": "ISO", "IntervalStyle": "postgres", "extra_float_digits": "1"}
    connection.execute(
        sql.SQL("SELECT {}").format(
            sql.SQL(", ").join(
                sql.SQL("pg_catalog.set_config({}, {}, true)").format(sql.Literal(name), sql.Literal(value))
                for name, value in settings.items()
            )
        )
    )


def find_stretches(connection: psycopg.Connection[Any], backfill: Backfill) -> list[Stretch]:
    """
    The stretches of a pass that begins now, in a transaction; partitions attached since an earlier one are among them.

    Raises:
        UsageError: there is no such table, a part of it is kept on another server, or rows are hidden from us.
    """
    walking(connection)
    executor = PsycopgExecutor(connection)
    refuse_hidden_rows(connection, backfill)
    members = catalog.members(executor, backfill.table, backfill.table_schema)
    if catalog.schema_of(executor, backfill.table, backfill.table_schema) is None:
        raise UsageError(f"the backfill's table {backfill.table} doesn't exist in this database")
    stretches = []
    for number, (schema, name, kind) in enumerate(members, start=1):
        if kind != "r":
            raise UsageError(
                f"{schema}.{name} can't be walked along",
                because="it is no ordinary table but a view or a foreign table",
                next_command="fill it where it is kept, and detach it meanwhile",
            )
        key = catalog.key(executor, name, schema) or CTID
        stretch = Stretch(number, schema, name, key, None)
        turns = _turns(executor, backfill, stretch)
        stretches.append(replace(stretch, last_key=_last_key(connection, backfill, stretch), turns=turns))
    return stretches


def refuse_hidden_rows(connection: psycopg.Connection[Any], backfill: Backfill) -> None:
    """
    See every row, or none: what a policy hides would be neither filled nor missed.

    Raises:
        UsageError: the table's row-level security applies to us.
    """
    hidden_by = catalog.hides_rows(PsycopgExecutor(connection), backfill.table, backfill.table_schema)
    if hidden_by is not None:
        raise UsageError(
            f"{hidden_by} may hide rows from role {connection.info.user}, which would never be filled",
            because="its row-level security applies to that role",
            next_command="run ec as a role with BYPASSRLS, or as the table's owner where it isn't FORCEd upon that one",
        )


def _turns(executor: Executor, backfill: Backfill, stretch: Stretch) -> int:
    columns = backfill.written_columns
    if not (columns and has_turns(stretch.key)):
        return 1
    shape = catalog.shape(executor, stretch.relation, columns, stretch.schema)
    return backfill.turns or fitting_turns(shape)


def next_upper(connection: psycopg.Connection[Any], walk: Walk, last: KeyValue, rows: int) -> tuple[KeyValue, int]:
    """The upper key of the next range of about `rows` rows, and how many rows it has."""
    stretch = walk.stretch
    if stretch.key == CTID:
        upper = _page_upper(connection, stretch, last, rows)
    else:
        found = connection.execute(walk.nth_key(stretch.upper_key, last, rows)).fetchone()
        if found:
            return tuple(found), rows
        upper = last
    counted = connection.execute(walk.count(stretch.upper_key, upper)).fetchone()
    return upper, int(counted[0]) if counted else 0


def estimated_rows(connection: psycopg.Connection[Any], backfill: Backfill) -> int:
    """
    About how many rows the table has, counted on some of its pages, or on all of a small table.

    What the planner takes them for is off by any factor where nobody has analysed the table yet.
    """
    pages = catalog.all_pages(PsycopgExecutor(connection), backfill.table, backfill.table_schema)
    percent = min(100.0, 100 * _SAMPLED_PAGES / max(1, pages))
    query = sql.SQL("SELECT pg_catalog.count(*) FROM {} TABLESAMPLE SYSTEM ({})").format(
        qualified(backfill.table, backfill.table_schema), sql.Literal(percent)
    )
    counted = connection.execute(query).fetchone()
    return round(counted[0] * 100 / percent) if counted else 0


def _last_key(connection: psycopg.Connection[Any], backfill: Backfill, stretch: Stretch) -> KeyValue | None:
    if stretch.key == CTID:
        pages, _ = catalog.pages(PsycopgExecutor(connection), stretch.relation, stretch.schema)
        return _end_of_page(pages - 1) if pages else None
    found = connection.execute(Walk(backfill, stretch).last_key()).fetchone()
    return tuple(found) if found else None


def _page_upper(connection: psycopg.Connection[Any], stretch: Stretch, last: KeyValue, rows: int) -> KeyValue:
    _, per_page = catalog.pages(PsycopgExecutor(connection), stretch.relation, stretch.schema)
    after = _page(stretch.upper_key) if stretch.upper_key else -1
    return _end_of_page(min(_page(last), after + max(1, round(rows / (per_page or _GUESSED_ROWS_PER_PAGE)))))


def _page(ctid: KeyValue) -> int:
    return int(ctid[0].strip("()").split(",")[0])


def _end_of_page(page: int) -> KeyValue:
    return (f"({page},{_LAST_ON_PAGE})",)
