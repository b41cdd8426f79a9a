"""
Our own statements about the user's tables say that they are ours, so that nobody takes them for the application's.

``pg_stat_statements`` knows no application, only the role, which may be the same; but it keeps a comment at the end.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

MARK = "/* ec */"


def marked(query: Any) -> Any:
    """The query with the mark at its end."""
    if isinstance(query, sql.Composable):
        return sql.Composed([query, sql.SQL(f" {MARK}")])
    if isinstance(query, bytes):
        return query.rstrip().removesuffix(b";") + f" {MARK}".encode()
    return f"{str(query).rstrip().removesuffix(';')} {MARK}"


class OwnCursor(psycopg.Cursor[Any]):
    """Marks what it runs."""

    def execute(self, query: Any, *arguments: Any, **options: Any) -> OwnCursor:
        """As `psycopg.Cursor.execute`."""
        super().execute(marked(query), *arguments, **options)
        return self


class OwnRawCursor(psycopg.RawCursor[Any]):
    """The same, with ``$1`` for parameters."""

    def execute(self, query: Any, *arguments: Any, **options: Any) -> OwnRawCursor:
        """As `psycopg.RawCursor.execute`."""
        super().execute(marked(query), *arguments, **options)
        return self
