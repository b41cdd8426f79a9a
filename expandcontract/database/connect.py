"""Our own connections: opened with everything pinned, and asked at once whether they can be trusted."""

from __future__ import annotations

import re
from typing import Any

import psycopg

from expandcontract.database.address import Address
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.own_statements import OwnCursor
from expandcontract.database.queries import queries
from expandcontract.errors import ConfigurationError, EcError, ServerUnfit, ServerUnreachable, StepFailed

# libpq gives no SQLSTATE for a failed connection, only the server's words; these don't pass by waiting.
_WONT_PASS = re.compile(
    r"password authentication failed|no password supplied|authentication failed|does not exist|no pg_hba\.conf entry"
    r"|could not translate host name|resolve host|permission denied for database|server does not support SSL"
    r"|certificate|invalid (port|integer)|root certificate|unrecognized configuration parameter|invalid value for"
    r"|codec failed",
    re.IGNORECASE,
)

_OLDEST = 140000

# What a database or a role may be set to, and we can't live with: limits of whole sessions and (since PostgreSQL 17)
# whole transactions, and a style of dates that psycopg doesn't read. In which order a date is read stays as it is.
_SETTINGS = """
SELECT pg_catalog.set_config(name, CASE name WHEN 'DateStyle' THEN 'ISO' ELSE '0' END, false)
  FROM pg_catalog.pg_settings
 WHERE name IN ('idle_session_timeout', 'transaction_timeout', 'DateStyle')
"""

# A network that swallows everything sends no end of a connection: each side has to find out by asking, the server as
# well, for it keeps our locks. By default both would ask after two hours
# (https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-TCP-KEEPALIVES-IDLE).
_KEEPALIVES = {"keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "4"}  # seconds, seconds, times
_UNANSWERED = {"tcp_user_timeout": "30000"}  # milliseconds
_OURS = {**_KEEPALIVES, **_UNANSWERED}
_THEIRS = {**{f"tcp_{name}": value for name, value in _KEEPALIVES.items()}, **_UNANSWERED}
_SET = """
SELECT pg_catalog.set_config(name, value, false)
  FROM ROWS FROM (pg_catalog.unnest(CAST(%s AS text[])), pg_catalog.unnest(CAST(%s AS text[]))) AS setting (name, value)
"""


def connect(
    address: Address, *, application_name: str, pin_search_path: bool = True, direct: bool = False
) -> psycopg.Connection[Any]:
    """
    A connection in autocommit mode to a primary that may be written.

    Args:
        address: where.
        application_name: how other sessions see us.
        pin_search_path: use ``pg_catalog`` alone; otherwise the path of the user's own connections.
        direct: refuse a pooler, for what needs a session of its own (locks, settings).

    Raises:
        ConfigurationError: the address names several hosts, and not which of them is meant.
        ServerUnfit: a standby, read-only, too old, behind a pooler, or it won't let us in.
        ServerUnreachable: no connection, for a reason that may pass.
    """
    if hosts := address.any_of:
        raise ConfigurationError(
            f"the database URL names {', '.join(hosts)}, and not which of them is meant",
            because="it takes the first that answers: after a failover that may be a standby, or the old primary",
            next_command="add target_session_attrs=read-write to it",
        )
    connection = connect_to_any(address, application_name=application_name)
    try:
        path = "pg_catalog" if pin_search_path else address.search_path
        if path is not None:
            connection.execute("SELECT pg_catalog.set_config('search_path', %s, false)", [path])
        connection.execute(_SETTINGS)
        connection.execute(_SET, [list(_THEIRS), list(_THEIRS.values())])
        _check(connection, address, direct=direct)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_any(address: Address, *, application_name: str, patience: int = 10) -> psycopg.Connection[Any]:
    """
    A connection in autocommit mode as the role has it, to a standby or through a pooler as well: to look, not to act.

    Args:
        address: where.
        application_name: how other sessions see us.
        patience: seconds for each host of the address; libpq knows no less than two.

    Raises:
        ServerUnfit: it won't let us in.
        ServerUnreachable: no connection, for a reason that may pass.
    """
    try:
        return psycopg.connect(
            address.conninfo(**_missing_in(address), application_name=application_name, connect_timeout=str(patience)),
            autocommit=True,
            cursor_factory=OwnCursor,
        )
    except (psycopg.OperationalError, UnicodeError) as error:  # a host that can't be a name of the Internet
        raise connection_error(error, address) from None


def _missing_in(address: Address) -> dict[str, str]:
    """Our keepalives, where the address says nothing else."""
    return {name: value for name, value in _OURS.items() if name not in address.parameters}


def connection_error(error: Exception, address: Address | str) -> EcError:
    """What a failed connection means: `ServerUnfit` where waiting won't help, else `ServerUnreachable`."""
    words = " ".join(str(error).split())
    reason = re.sub(r"^connection (failed: )?", "", words).removeprefix("failed: ")
    if _WONT_PASS.search(words):
        return ServerUnfit(f"the server at {address} doesn't let us in", because=reason)
    return ServerUnreachable(
        f"no connection to the server at {address}", because=reason, next_command="run the same command again"
    )


def server_error(error: BaseException) -> EcError | None:
    """What it means when the server refuses a statement of ours, or goes away; None where that can't be said."""
    error = getattr(error, "orig", None) or error  # SQLAlchemy's wrapping
    words = getattr(getattr(error, "diag", None), "message_primary", None) or " ".join(str(error).split())
    sqlstate = getattr(error, "sqlstate", None)
    if sqlstate == "42501":
        return ServerUnfit(
            "the role lacks a right that ec needs",
            because=words,
            next_command="run it as the owner of the tables and of schema ec, or grant what is missing",
        )
    if sqlstate == "25006":
        return ServerUnfit("the server is read-only for us", because=words)
    if is_lost(error):
        return StepFailed(
            "the connection to the server was lost",
            because=words,
            next_command="run the same command again: it goes on from what is committed (see ec status)",
        )
    return None


def is_lost(error: BaseException) -> bool:
    """
    Whether the session is gone. The error tells: a connection whose socket has closed doesn't always know it yet.

    Source: https://www.postgresql.org/docs/current/errcodes-appendix.html; 25P03 and 25P04 end the session as well.
    """
    sqlstate = getattr(error, "sqlstate", None)
    if sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    return isinstance(error, psycopg.Error) and sqlstate.startswith(("08", "57P", "25P03", "25P04"))


def _check(connection: psycopg.Connection[Any], address: Address, *, direct: bool) -> None:
    standby, read_only, backend_pid, version = PsycopgExecutor(connection).rows(queries("catalog")["session"])[0]
    if standby:
        raise ServerUnfit(
            f"the server at {address} is a standby",
            because="it is in recovery, so nothing can be written",
            next_command="point the database URL at the primary",
        )
    if read_only:
        raise ServerUnfit(
            f"the server at {address} is read-only for us",
            because="default_transaction_read_only is on",
            next_command="ALTER ROLE … RESET default_transaction_read_only, or use another role",
        )
    if version < _OLDEST:
        raise ServerUnfit(f"PostgreSQL {version // 10000} is too old; ec supports 14 and later")
    if direct and backend_pid != connection.info.backend_pid:
        raise ServerUnfit(
            f"the server at {address} is behind a connection pooler",
            because=f"libpq was told backend {connection.info.backend_pid}, and the query ran in {backend_pid}",
            next_command="set EC_DATABASE_URL to a direct address of the primary",
        )
