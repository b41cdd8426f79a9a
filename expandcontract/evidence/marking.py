"""Marking the application's own sessions, so that a contract can see which releases are connected."""

from __future__ import annotations

from typing import Any, TypeVar

from psycopg import sql
from sqlalchemy import event

from expandcontract.domain.mark import marked

RELEASE = "expandcontract_release"  # the execution option by which an engine knows its release

AnyEngine = TypeVar("AnyEngine")


def connect(engine: AnyEngine, *, colour: str, release: str) -> AnyEngine:
    """
    Let every new connection of the engine say to which colour and release it belongs.

    The mark is part of ``application_name``, after what stands there already: ``shop colour=green release=42``. A
    contract is refused while a session is connected whose release lacks the change.

    Args:
        engine: a SQLAlchemy engine of any PostgreSQL driver, or an asynchronous one. Call it before the first
            connection: those that are open already stay as they are.
        colour: the slot that this process runs in.
        release: the tag that ``ec colour deploy`` recorded.

    Returns:
        The same engine.

    Raises:
        ValueError: an empty name.
    """
    if not colour or not release:
        raise ValueError("a session is marked by a colour and a release, and one of them is empty")
    synchronous: Any = getattr(engine, "sync_engine", engine)
    synchronous.update_execution_options(**{RELEASE: release})

    @event.listens_for(synchronous, "connect")
    def mark(connection: Any, record: object) -> None:
        cursor = connection.cursor()
        try:
            cursor.execute("SHOW application_name")
            name = marked(cursor.fetchone()[0], colour, release)
            # no parameters, for drivers write them each in their own way
            cursor.execute(sql.SQL("SET application_name TO {}").format(sql.Literal(name)).as_string())
        finally:
            cursor.close()
        connection.commit()  # or the pool's rollback would take it back

    return engine
