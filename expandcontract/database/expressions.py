"""The SQL of what an author declares: qualified tables, assignments, and which rows aren't right yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from psycopg import sql

from expandcontract.domain.change import Backfill, Sync


def qualified(table: str, schema: str | None = None) -> sql.Composable:
    """The table's quoted name, with its schema where one is given."""
    return sql.Identifier(schema, table) if schema else sql.Identifier(table)


def expression(text: str) -> sql.Composable:
    """An author's expression in parentheses. Revision files are code: their SQL is trusted, names are not."""
    end = "\n" if "--" in text else ""  # a comment would swallow the parenthesis
    return sql.SQL("({})").format(sql.SQL(text + end))


def assignments(columns: Mapping[str, str]) -> sql.Composable:
    """``"a" = (expression), "b" = (…)``, for an UPDATE."""
    return sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(column), expression(text)) for column, text in columns.items()
    )


def all_equal(columns: Mapping[str, str], types: Mapping[str, str] | None = None) -> sql.Composable:
    """
    Whether each column has the value of its expression, NULLs counting as equal.

    With the columns' types, the value is what the column would store: ``1.005`` is ``1.01`` in a ``numeric(10,2)``;
    and it must be identical, which can be asked of every type: ``json`` has no ``=``
    (https://www.postgresql.org/docs/current/functions-comparisons.html#COMPOSITE-TYPE-COMPARISON).
    """
    if types is None:
        return _and(
            sql.SQL("{} IS NOT DISTINCT FROM {}").format(sql.Identifier(column), expression(text))
            for column, text in columns.items()
        )
    stored = {column: sql.SQL(types[column]) for column in columns}
    return identical(
        [sql.SQL("CAST({} AS {})").format(sql.Identifier(column), type_) for column, type_ in stored.items()],
        [sql.SQL("CAST({} AS {})").format(expression(columns[column]), type_) for column, type_ in stored.items()],
    )


def identical(left: Iterable[sql.Composable], right: Iterable[sql.Composable]) -> sql.Composable:
    """
    Whether two lists of values have the same binary form, NULLs included; any type will do.

    Without the casts, PostgreSQL would apply the operator to each pair instead of the two records.
    """
    return sql.SQL("ROW({})::pg_catalog.record *= ROW({})::pg_catalog.record").format(
        sql.SQL(", ").join(left), sql.SQL(", ").join(right)
    )


def unfilled(backfill: Backfill, *, new_code_wrote: bool, types: Mapping[str, str] | None = None) -> sql.Composable:
    """
    The condition on a row that the backfill hasn't made right.

    Before any release that ships the change had traffic, only old code wrote, so the new shape must equal `forward`
    of the old one. Afterwards a row is also right when the old shape equals `backward` of the new one: new code wrote
    it, and a lossy `forward` would overwrite what it wrote.

    Args:
        backfill: the declaration.
        new_code_wrote: whether a release that ships the change ever had traffic.
        types: the types of the columns, from `sync_catalog.types`; see `all_equal`.
    """
    if backfill.where is not None:
        return expression(backfill.where)
    wrong = sql.SQL("NOT ({})").format(all_equal(backfill.assignments, types))
    if not isinstance(backfill.source, Sync):
        return wrong
    sync = backfill.source
    if new_code_wrote and sync.backward:
        wrong = sql.SQL("{} AND NOT ({})").format(wrong, all_equal(sync.backward, types))
    if sync.not_null:
        missing = sql.SQL(" OR ").join(sql.SQL("{} IS NULL").format(sql.Identifier(name)) for name in sync.new_columns)
        wrong = sql.SQL("({} OR {})").format(missing, wrong)
    return wrong


def _and(conditions: Iterable[sql.Composable]) -> sql.Composable:
    return sql.SQL(" AND ").join(conditions)
