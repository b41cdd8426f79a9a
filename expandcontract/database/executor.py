"""
One way to run a statement, over psycopg or over the user's own SQLAlchemy connection.

The ledger's row of a part must be written in the transaction of the part, and that one belongs to the user's engine,
whatever its driver. So the ledger asks for an `Executor`, not for a connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import psycopg

NOTHING: Mapping[str, object] = {}


class Executor(Protocol):
    """Runs one statement with ``%(name)s`` parameters and returns its rows (none for a statement without)."""

    def rows(self, query: str, parameters: Mapping[str, object] = NOTHING) -> list[tuple[Any, ...]]:
        """All rows of the answer; the driver's own exceptions pass through."""


class PsycopgExecutor:
    """Over a psycopg connection; commits are the connection's owner's business."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def rows(self, query: str, parameters: Mapping[str, object] = NOTHING) -> list[tuple[Any, ...]]:
        """See `Executor.rows`."""
        cursor = self._connection.execute(query.encode(), dict(parameters))
        return cursor.fetchall() if cursor.description else []
