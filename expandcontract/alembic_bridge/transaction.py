"""The transaction in which a part runs: what it sees, how long it may wait, idle and hold the router."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy
import sqlalchemy.exc
from alembic.runtime.migration import MigrationContext

from expandcontract.alembic_bridge.environment import connection_of
from expandcontract.database.ledger import Ledger
from expandcontract.errors import ConfigurationError

_LEDGER_LOCK_TIMEOUT = timedelta(milliseconds=100)


def hold_router(context: MigrationContext, ledger: Ledger) -> None:
    """Nobody moves traffic from here to the commit. Waits add up, and the application may wait for us already."""
    limit(connection_of(context), _LEDGER_LOCK_TIMEOUT)
    ledger.hold_router()


def sees_what_is_committed(connection: sqlalchemy.Connection) -> bool:
    """Whether each statement of its transaction sees what others have committed by then."""
    return bool(connection.exec_driver_sql("SHOW transaction_isolation").scalar_one() == "read committed")


def see_what_is_committed(connection: sqlalchemy.Connection) -> None:
    """
    Make the transaction see what others commit meanwhile, whatever the login's isolation level.

    In a snapshot from before the locks the gate, asked again under them, would hear of the past.

    Raises:
        ConfigurationError: it has asked something already.
    """
    if sees_what_is_committed(connection):
        return
    try:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
    except sqlalchemy.exc.DBAPIError:
        raise ConfigurationError(
            "a step can't run in the transaction that env.py has begun",
            because="its isolation level isn't read committed, and it has asked something already",
            next_command="use engine.connect() in env.py, or an engine without isolation_level",
        ) from None


def limit(connection: sqlalchemy.Connection, lock_timeout: timedelta) -> None:
    """For this transaction only: at most this long for a lock, and no idling with one."""
    milliseconds = max(1, round(lock_timeout.total_seconds() * 1000))
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")
    connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = '10s'")
    # a runner that was killed must not go on holding locks from its grave
    connection.exec_driver_sql("SET LOCAL client_connection_check_interval = '1s'")
    # PostgreSQL 17 ends the session when a transaction takes longer, however little it is in the way
    connection.exec_driver_sql(
        "SELECT pg_catalog.set_config(name, '0', true) FROM pg_catalog.pg_settings WHERE name = 'transaction_timeout'"
    )
