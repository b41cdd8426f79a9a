"""
A part's transaction, which nobody ends but the runner.

A revision that commits by itself, by ``op.get_bind().commit()`` or a COMMIT in its SQL, would leave one half of the
part in the database without a word in the ledger, and take the other half back.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import sqlalchemy
from alembic.runtime.migration import MigrationContext

from expandcontract.alembic_bridge.environment import connection_of
from expandcontract.errors import RevisionError

EndsTransaction = Callable[[str], bool]  # whether a text of SQL has a COMMIT, ROLLBACK or the like


class Divided(Exception):
    """The transaction has been ended behind our back."""


@contextmanager
def undivided(context: MigrationContext, file: str, ends_transaction: EndsTransaction) -> Iterator[None]:
    """
    While this lasts, only Alembic's autocommit blocks end the transaction.

    Args:
        context: the part's.
        file: the revision that the part stands in.
        ends_transaction: what a text of SQL does.

    Raises:
        RevisionError: the part is about to end it, which is prevented.
        Divided: it has ended it, through the driver.
    """
    connection = connection_of(context)
    guard = _Guard(file, ends_transaction)
    listeners: dict[str, Callable[..., None]] = {"commit": guard.ends, "rollback": guard.ends}
    listeners["before_cursor_execute"] = guard.runs
    block = context.autocommit_block
    began = transaction_of(connection)

    @contextmanager
    def unguarded() -> Iterator[None]:
        nonlocal began
        guard.is_off = True
        with block():
            yield
        guard.is_off = False
        began = transaction_of(connection)

    context.autocommit_block = unguarded  # type: ignore[method-assign]
    for name, listener in listeners.items():
        sqlalchemy.event.listen(connection, name, listener)
    try:
        yield
        if transaction_of(connection) != began:
            raise Divided(
                "it ended its transaction: what it did before that stays, and what it did after that is undone"
            )
    finally:
        for name, listener in listeners.items():
            sqlalchemy.event.remove(connection, name, listener)
        context.autocommit_block = block  # type: ignore[method-assign]


class _Guard:
    """Refuses whatever would end the transaction."""

    def __init__(self, file: str, ends_transaction: EndsTransaction) -> None:
        self._file = file
        self._ends_transaction = ends_transaction
        self.is_off = False

    def ends(self, _: sqlalchemy.Connection) -> None:
        """SQLAlchemy is about to tell the driver."""
        if not self.is_off:
            raise RevisionError(
                "a part may not end its transaction",
                file=self._file,
                line=self._line(),
                because="what it did before that would stay, unknown to the ledger, and what comes after would be lost",
                next_command="make several parts instead; a revision from before ec: alembic upgrade REVISION",
            )

    def runs(self, connection: sqlalchemy.Connection, _: Any, statement: str, *__: Any) -> None:
        """A statement is about to be sent."""
        if not self.is_off and self._ends_transaction(statement):
            self.ends(connection)

    def _line(self) -> int | None:
        frame: FrameType | None = sys._getframe(1)
        while frame and frame.f_code.co_filename != self._file:
            frame = frame.f_back
        return frame.f_lineno if frame else None


def transaction_of(connection: sqlalchemy.Connection) -> str:
    """The server's number of the transaction that is open."""
    return str(connection.exec_driver_sql("SELECT pg_catalog.pg_current_xact_id()::text").scalar_one())
