"""What PostgreSQL's catalogue says about a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from expandcontract.database.executor import Executor
from expandcontract.database.expressions import qualified
from expandcontract.database.queries import queries
from expandcontract.domain.turns import Shape


@dataclass(frozen=True)
class Key:
    """A unique key without NULLs: the columns and their types, in key order."""

    columns: tuple[str, ...]
    types: tuple[str, ...]


def schema_of(executor: Executor, table: str, schema: str | None = None) -> str | None:
    """The schema in which the search path finds the table; None where there is no such table."""
    rows = executor.rows(queries("catalog")["schema_of"], {"table": regclass(table, schema)})
    return str(rows[0][0]) if rows else None


def key(executor: Executor, table: str, schema: str | None = None) -> Key | None:
    """The primary key, else a unique index without NULLs, else None."""
    rows = executor.rows(queries("catalog")["key"], {"table": regclass(table, schema)})
    return Key(tuple(rows[0][0]), tuple(rows[0][1])) if rows else None


def members(executor: Executor, table: str, schema: str | None = None) -> list[tuple[str, str, str]]:
    """Schema, name and ``relkind`` of the tables that hold the table's rows: itself, its partitions, its children."""
    return [
        (row[0], row[1], row[2])
        for row in executor.rows(queries("catalog")["members"], {"table": regclass(table, schema)})
    ]


def hides_rows(executor: Executor, table: str, schema: str | None = None) -> str | None:
    """Which of the table's members hides rows from us by its policies; None where we see all."""
    rows = executor.rows(queries("catalog")["hides_rows"], {"table": regclass(table, schema)})
    return str(rows[0][0]) if rows else None


def shape(executor: Executor, table: str, columns: Sequence[str], schema: str | None = None) -> Shape:
    """What the table is like for somebody who writes those columns."""
    facts = {"table": regclass(table, schema), "columns": list(columns)}
    return Shape(*executor.rows(queries("catalog")["shape"], facts)[0])


def pages(executor: Executor, table: str, schema: str | None = None) -> tuple[int, float | None]:
    """How many pages the table has, and how many rows there are on one, where anybody knows."""
    count, rows_per_page = executor.rows(queries("catalog")["pages"], {"table": regclass(table, schema)})[0]
    return int(count), rows_per_page


def all_pages(executor: Executor, table: str, schema: str | None = None) -> int:
    """How many pages the table has, with its partitions and children; 0 where there is no such table."""
    return int(executor.rows(queries("catalog")["all_pages"], {"table": regclass(table, schema)})[0][0])


def bare_types(executor: Executor, table: str, schema: str | None = None) -> dict[str, str]:
    """The types of the table's columns without their lengths, as SQL, by the columns' names."""
    return dict(executor.rows(queries("catalog")["bare_types"], {"table": regclass(table, schema)}))


def index_is_valid(executor: Executor, index: str) -> bool | None:
    """Whether the index, as SQL names it, is valid; None where there is no such index."""
    rows = executor.rows(queries("catalog")["index_is_valid"], {"index": index})
    return bool(rows[0][0]) if rows else None


def index_enforces(executor: Executor, index: str) -> bool:
    """Whether an index, as SQL names it, is INVALID and keeps duplicates out all the same."""
    rows = executor.rows(queries("catalog")["index_enforces"], {"index": index})
    return bool(rows and rows[0][0])


@dataclass(frozen=True)
class Trigger:
    """A trigger, and the function that it calls."""

    name: str
    function: str


@dataclass(frozen=True)
class Indexes:
    """How many indexes a table has, which of them are over some columns in question, and the table's fillfactor."""

    count: int
    over_columns: tuple[str, ...]
    fillfactor: int


def triggers_on_update(
    executor: Executor, table: str, columns: list[str], schema: str | None = None
) -> tuple[Trigger, ...]:
    """The table's own triggers that fire for each row when those columns (none named: any) are updated, no Sync's."""
    names = {"table": regclass(table, schema), "columns": columns}
    return tuple(Trigger(*row) for row in executor.rows(queries("catalog")["triggers_on_update"], names))


def indexes_over(executor: Executor, table: str, columns: list[str], schema: str | None = None) -> Indexes:
    """The indexes of the table, seen from those columns; none where there is no such table."""
    names = {"table": regclass(table, schema), "columns": columns}
    for count, over_columns, fillfactor in executor.rows(queries("catalog")["indexes_over"], names):
        return Indexes(count, tuple(over_columns), fillfactor)
    return Indexes(0, (), 100)


def enabled_triggers(executor: Executor, table: str, schema: str | None = None) -> frozenset[str]:
    """The names of the table's triggers that fire; none where there is no such table."""
    rows = executor.rows(queries("catalog")["enabled_triggers"], {"table": regclass(table, schema)})
    return frozenset(name for (name,) in rows)


def regclass(table: str, schema: str | None) -> str:
    """The quoted name, for ``to_regclass``."""
    return qualified(table, schema).as_string(None)


def no_defaults_guard(table: str, schema: str | None, names: tuple[str, ...]) -> str:
    """
    A statement that fails where one of the columns has a default, its own or its domain's.

    An offline script can't look defaults up, and the triggers of a `Sync` must know them.
    """
    return (
        sql.SQL(
            "DO $ec_guard$ BEGIN\n"
            "  IF EXISTS (SELECT FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid\n"
            "      WHERE a.attrelid = {table}::regclass AND a.attname IN ({names})\n"
            "        AND (a.atthasdef OR t.typdefault IS NOT NULL)) THEN\n"
            "    RAISE EXCEPTION 'a synced column has a default, which an offline script cannot know: run ec online';\n"
            "  END IF;\nEND $ec_guard$"
        )
        .format(
            table=sql.Literal(regclass(table, schema)),
            names=sql.SQL(", ").join(sql.Literal(name) for name in names),
        )
        .as_string(None)
    )
