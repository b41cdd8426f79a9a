"""Who a server is among those of its system: asked of the one at hand, and of others that are known by an address."""

from __future__ import annotations

from typing import Any

import psycopg

from expandcontract.database.address import Address
from expandcontract.database.connect import connect_to_any
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.queries import queries
from expandcontract.domain.instance import Instance
from expandcontract.errors import EcError


def look_at(connection: psycopg.Connection[Any], name: str | None = None) -> Instance:
    """
    Who the server at the other end is. The connection must be in autocommit mode.

    Args:
        connection: to ask through.
        name: how to call it; by default its host and port.
    """
    executor = PsycopgExecutor(connection)
    is_standby, started_at = executor.rows(queries("instances")["what_it_is"])[0]
    system, timeline = None, None
    try:
        if executor.rows(queries("instances")["may_ask"])[0][0]:
            system, timeline = executor.rows(queries("instances")["standby" if is_standby else "primary"])[0]
    except (psycopg.DataError, psycopg.NotSupportedError, psycopg.ProgrammingError, psycopg.InternalError):
        pass  # a service that speaks PostgreSQL and has no WAL of its own to tell of
    info = connection.info
    return Instance(name or f"{info.host or info.hostaddr}:{info.port}", system, timeline, is_standby, started_at)


def ask(name: str, address: Address, application_name: str) -> Instance | None:
    """Who the server of one host is; None where it doesn't answer, which says nothing about it."""
    try:
        with connect_to_any(address, application_name=application_name, patience=2) as connection:
            return look_at(connection, name)
    except (psycopg.Error, EcError):
        return None
