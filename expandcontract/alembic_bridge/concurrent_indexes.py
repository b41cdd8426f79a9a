"""
Indexes built CONCURRENTLY, when something of their name is there already.

Such a build commits as it goes. If it is cut short it leaves an INVALID index, or a finished one that the ledger knows
nothing of; the same statement again would fail with "already exists", and IF NOT EXISTS would take an INVALID one for a
good one (https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY). So each statement
is looked at on its way to the server, whoever sends it: an operation, or code of the author's with the connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy

from expandcontract.database import catalog
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.errors import EcError

# In place of a build that isn't needed: what an autocommit block has set anyway, and an answer without rows.
_NOTHING = "SET lock_timeout = 0"


@dataclass(frozen=True)
class Repair:
    """
    How indexes are put right that are there when a part comes to build them.

    Attributes:
        builds: the indexes that a text of SQL builds concurrently, as SQL names them.
        open_connection: one beside the part's, in autocommit mode, with the user's search path.
        was_cut_short: an earlier run of the part may have finished some of them; else a finished one is somebody
            else's, and the statement says so itself.
    """

    builds: Callable[[str], tuple[str, ...]]
    open_connection: Callable[[], AbstractContextManager[psycopg.Connection[Any]]]
    was_cut_short: bool = False


@contextmanager
def repaired(connection: sqlalchemy.Connection, repair: Repair) -> Iterator[None]:
    """
    While this lasts, an INVALID index is dropped before it is built, and one that is finished isn't built again.

    If it ends with an error, no index that it leaves INVALID goes on keeping duplicates out.

    Args:
        connection: the part's, outside of any transaction: dropping an index concurrently waits for whoever is in one.
        repair: how.
    """
    built: list[str] = []

    def look(
        conn: sqlalchemy.Connection, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
    ) -> tuple[str, Any]:
        indexes = repair.builds(statement) if "concurrently" in statement.lower() else ()
        if not indexes:
            return statement, parameters
        built.extend(indexes)
        with repair.open_connection() as other:
            finished = _clear_up(other, indexes)
        is_done = repair.was_cut_short and finished.issuperset(indexes)
        return (_NOTHING if is_done else statement), parameters

    sqlalchemy.event.listen(connection, "before_cursor_execute", look, retval=True)
    try:
        yield
    except Exception:
        _let_duplicates_in(built, repair)
        raise
    finally:
        sqlalchemy.event.remove(connection, "before_cursor_execute", look)


def _clear_up(connection: psycopg.Connection[Any], indexes: tuple[str, ...]) -> frozenset[str]:
    """Drop those of the indexes that are INVALID, and return those that are finished."""
    finished = set()
    for index in indexes:
        is_valid = catalog.index_is_valid(PsycopgExecutor(connection), index)
        if is_valid:
            finished.add(index)
        elif is_valid is False:
            connection.execute(f"DROP INDEX CONCURRENTLY {index}".encode())
    return frozenset(finished)


def _let_duplicates_in(indexes: list[str], repair: Repair) -> None:
    """An INVALID unique index that was nearly done refuses rows to the application, which knows nothing of it."""
    if not indexes:
        return
    with suppress(psycopg.Error, EcError), repair.open_connection() as other:  # the next run comes to it as well
        other.execute("SELECT pg_catalog.set_config('statement_timeout', '5s', false)")
        for index in indexes:
            if catalog.index_enforces(PsycopgExecutor(other), index):
                other.execute(f"DROP INDEX CONCURRENTLY {index}".encode())
