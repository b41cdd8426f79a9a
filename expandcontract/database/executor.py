"""
One way to run a statement, over psycopg or over the user's own SQLAlchemy connection.

The ledger's row of a part must be written in the transaction of the part, and that one belongs to the user's engine,
whatever its driver. So the ledger asks for an `Executor`, not for a connection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

import psycopg
import sqlalchemy

_PARAMETER = re.compile(r"%\((\w+)\)s")
_NOTHING: Mapping[str, object] = {}


class Executor(Protocol):
    """Runs one statement with ``%(name)s`` parameters and returns its rows (none for a statement without)."""

    def rows(self, query: str, parameters: Mapping[str, object] = _NOTHING) -> list[tuple[Any, ...]]:
        """All rows of the answer; the driver's own exceptions pass through."""


class PsycopgExecutor:
    """Over a psycopg connection; commits are the connection's owner's business."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def rows(self, query: str, parameters: Mapping[str, object] = _NOTHING) -> list[tuple[Any, ...]]:
        """See `Executor.rows`."""
        cursor = self._connection.execute(query.encode(), dict(parameters))
        return cursor.fetchall() if cursor.description else []


class SqlalchemyExecutor:
    """Over a SQLAlchemy connection of any driver, within its current transaction."""

    def __init__(self, connection: sqlalchemy.Connection) -> None:
        self._connection = connection

    def rows(self, query: str, parameters: Mapping[str, object] = _NOTHING) -> list[tuple[Any, ...]]:
        """See `Executor.rows`."""
        statement = sqlalchemy.text(_PARAMETER.sub(r":\1", query).replace("%%", "%"))
        result = self._connection.execute(statement, dict(parameters))
        return [tuple(row) for row in result] if result.returns_rows else []
