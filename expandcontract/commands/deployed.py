"""The schema of a live database, for ``ec lint --schema-from``."""

from __future__ import annotations

import psycopg

from expandcontract.database.address import address_from_text
from expandcontract.database.connect import connection_error
from expandcontract.database.deployed_schema import deployed_schema as read_schema
from expandcontract.database.executor import PsycopgExecutor


def deployed_schema(url: str, origin: str) -> str:
    """
    SQL of what the database holds. It may be a standby: nothing is written.

    Args:
        url: the database.
        origin: where that was configured, for errors.

    Raises:
        ConfigurationError: that is no address.
        ServerUnfit, ServerUnreachable: no connection.
    """
    address = address_from_text(url, origin=origin)
    try:
        connection = psycopg.connect(
            address.conninfo(application_name="ec lint", connect_timeout="10"), autocommit=True
        )
    except psycopg.OperationalError as error:
        raise connection_error(error, address) from None
    with connection:
        connection.execute("SET default_transaction_read_only = on")
        connection.execute("SET search_path = pg_catalog")
        return read_schema(PsycopgExecutor(connection))
