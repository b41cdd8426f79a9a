"""Whether env.py's session is where we are the one runner: another database, or a copy of it, nobody guards."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy.exc

from expandcontract.database.advisory_lock import is_held_by
from expandcontract.database.instances import look_at
from expandcontract.database.ledger import Ledger
from expandcontract.errors import ConfigurationError, ServerUnreachable


def check_same_server(lock_connection: psycopg.Connection[Any], ours: Ledger, theirs: Ledger) -> None:
    """
    Check that a step's own session finds our ledger, and the runner's lock held.

    A copy, such as the primary from before a failover, has the same ledger, but not the lock.

    Args:
        lock_connection: holds the runner's lock.
        ours: the ledger through it.
        theirs: the ledger as the step's session finds it.

    Raises:
        ConfigurationError: the session is elsewhere.
        ServerUnreachable: the lock is lost.
    """
    mine, found = ours.id(), _id(theirs)
    if found != mine:
        raise ConfigurationError(
            "env.py connects to another database than ec",
            because=f"the ledgers differ ({mine} and {found or 'none there'})",
            next_command="make EC_DATABASE_URL and env.py's URL name the same database",
        )
    pid = lock_connection.info.backend_pid
    if is_held_by(theirs.executor, pid):
        return
    here = look_at(lock_connection)
    if not is_held_by(ours.executor, pid):
        raise ServerUnreachable(
            "the runner's lock is lost; nothing has changed",
            because=f"backend {pid} of {here.name} had it, and has it no more",
            next_command="run the same command again",
        )
    raise ConfigurationError(
        "env.py connects to another server than ec",
        because=f"there nobody sees the runner's lock, which backend {pid} of {here.name} holds (timeline"
        f" {here.timeline or 'unknown'}): it is a copy, such as an old primary after a failover",
        next_command="make EC_DATABASE_URL and env.py's URL name the same server, the primary",
    )


def _id(ledger: Ledger) -> str | None:
    try:
        return ledger.id()
    except sqlalchemy.exc.ProgrammingError:
        return None
