"""What a driver's exception says, whatever the driver."""

from __future__ import annotations

import re
from collections.abc import Iterator

from psycopg import sql

LOCK_NOT_AVAILABLE = "55P03"
DEADLOCK_DETECTED = "40P01"
UNIQUE_VIOLATION = "23505"
# Nothing of the transaction remains after these, so the same part may be tried again.
_WORTH_ANOTHER_TRY = {LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED}

# The server's detail, in any language: Key (name, lower(city))=(…) is duplicated.
_KEY = re.compile(r"[^(]*\((.+?)\)=\(")


def sqlstate(error: BaseException) -> str | None:
    """The SQLSTATE that the server gave, through SQLAlchemy's wrapping, for psycopg, psycopg2 and asyncpg."""
    for cause in _causes(error):
        for name in ("sqlstate", "pgcode"):
            code = getattr(cause, name, None)
            if isinstance(code, str):
                return code
    return None


def is_lock_timeout(error: BaseException) -> bool:
    """Whether the part lost a race for a lock and may be tried again."""
    return sqlstate(error) in _WORTH_ANOTHER_TRY


def duplicates_query(error: BaseException) -> str | None:
    """The SQL that lists equal rows, where they are why a unique index can't be; without their values."""
    if sqlstate(error) != UNIQUE_VIOLATION:
        return None
    for cause in _causes(error):
        told = getattr(cause, "diag", None) or cause
        detail = getattr(told, "message_detail", None) or getattr(told, "detail", None)
        schema, table = getattr(told, "schema_name", None), getattr(told, "table_name", None)
        columns = _KEY.match(detail or "")
        if columns and schema and table:
            relation = sql.Identifier(schema, table).as_string(None)
            return f"SELECT {columns[1]}, count(*) FROM {relation} GROUP BY {columns[1]} HAVING count(*) > 1"  # noqa: S608  # advice
    return None


def server_words(error: BaseException) -> str:
    """The server's message in one line, without the statement and its parameters, which may hold data."""
    for cause in _causes(error):
        diagnostics = getattr(cause, "diag", None)
        primary = getattr(diagnostics, "message_primary", None)
        if primary:
            hint = getattr(diagnostics, "message_hint", None)
            return f"{primary} (hint: {hint})" if hint else str(primary)
    innermost = list(_causes(error))[-1]
    lines = str(innermost).strip().splitlines()
    return lines[0] if lines else type(innermost).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = getattr(seen, "orig", None) or seen.__cause__
