"""The ledger's statements over the user's own SQLAlchemy connection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy

from expandcontract.database.executor import NOTHING

_PARAMETER = re.compile(r"%\((\w+)\)s")


class SqlalchemyExecutor:
    """Over a SQLAlchemy connection of any driver, within its current transaction."""

    def __init__(self, connection: sqlalchemy.Connection) -> None:
        self._connection = connection

    def rows(self, query: str, parameters: Mapping[str, object] = NOTHING) -> list[tuple[Any, ...]]:
        """See `Executor.rows`."""
        statement = sqlalchemy.text(_PARAMETER.sub(r":\1", query).replace("%%", "%"))
        result = self._connection.execute(statement, dict(parameters))
        return [tuple(row) for row in result] if result.returns_rows else []
