"""``expandcontract.ready``: the application asks whether the schema is what its release needs."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import psycopg
import sqlalchemy

from expandcontract.alembic_bridge.sqlalchemy_executor import SqlalchemyExecutor
from expandcontract.commands.ledger_session import facts_of, states
from expandcontract.database import ledger_installation
from expandcontract.database.actor import Actor
from expandcontract.database.ledger import Ledger
from expandcontract.domain.gate import schema_refusals
from expandcontract.errors import EcError
from expandcontract.evidence.marking import RELEASE

_LONGEST = "2s"  # for a statement; a probe that hangs tells nobody anything


@dataclass(frozen=True)
class Readiness:
    """Whether a release may be sent requests as far as the schema goes; true or false by itself, and why not."""

    is_ready: bool
    because: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.is_ready


def ready(engine: sqlalchemy.Engine | sqlalchemy.Connection, release: str | None = None) -> Readiness:
    """
    Whether the schema is what this release needs: what it ships is expanded, and nothing that it lacks is contracted,
    or kept from it by a tombstone.

    A database that can't be reached is not ready; it is no reason to restart the application. Whether the backfills
    are complete is asked before the switch, by ``ec colour check``: an application without traffic may start before.

    Args:
        engine: the application's own, or a connection of it. Where it is asynchronous:
            ``await connection.run_sync(expandcontract.ready)``.
        release: the tag that ``ec colour deploy`` recorded; default: what `expandcontract.connect` was told.

    Raises:
        ValueError: nobody has said which release this is.
    """
    tag = release or engine.get_execution_options().get(RELEASE)
    if not tag:
        raise ValueError("which release is this? Call expandcontract.connect first, or name it")
    try:
        with _connected(engine) as connection:
            return _judged(connection, tag)
    except (sqlalchemy.exc.SQLAlchemyError, psycopg.Error, OSError, EcError) as error:
        words = " ".join(str(getattr(error, "orig", None) or error).split())
        return Readiness(False, (f"the database can't be asked: {words}",))


def _connected(
    engine: sqlalchemy.Engine | sqlalchemy.Connection,
) -> AbstractContextManager[sqlalchemy.Connection]:
    return engine.connect() if isinstance(engine, sqlalchemy.Engine) else nullcontext(engine)


def _judged(connection: sqlalchemy.Connection, tag: str) -> Readiness:
    connection.execute(sqlalchemy.text(f"SET LOCAL statement_timeout = '{_LONGEST}'"))
    executor = SqlalchemyExecutor(connection)
    if not ledger_installation.installed_version(executor):
        return Readiness(False, ("this database has no ledger of expandcontract",))
    ledger = Ledger(executor, Actor("", "", os.getpid(), None))  # who acts matters only to events
    router = ledger.router()
    if tag not in router.releases:
        return Readiness(False, (f"the ledger doesn't know release {tag}: ec colour deploy COLOUR {tag}",))
    records = ledger.steps()
    refused = schema_refusals(router.releases[tag], facts_of(ledger, router, states(records), records))
    return Readiness(not refused, tuple(f"{refusal.step}: {refusal.because}" for refusal in refused))
