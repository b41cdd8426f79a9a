"""Where an engine of the user's connects to, in libpq's words."""

from __future__ import annotations

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import URL

from expandcontract.database.address import Address
from expandcontract.errors import ConfigurationError

_LIBPQ_NAMES = {"ssl": "sslmode"}  # asyncpg's spelling


def address_from_url(url: URL, *, origin: str) -> Address:
    """
    The address that a SQLAlchemy URL means to its driver, in libpq's words.

    Raises:
        ConfigurationError: another kind of database, or a query parameter that libpq doesn't know.
    """
    if url.get_backend_name() != "postgresql":
        raise ConfigurationError(f"{origin} names {url.get_backend_name()}; ec works on PostgreSQL")
    parameters: dict[str, str] = {}
    for name, value in url.query.items():
        parameters[_LIBPQ_NAMES.get(name, name)] = value if isinstance(value, str) else ",".join(value)
    for name, part in (
        ("host", url.host),
        ("port", url.port),
        ("dbname", url.database),
        ("user", url.username),
        ("password", url.password),
    ):
        if part is not None:
            parameters[name] = str(part)
    try:
        make_conninfo("", **parameters)
    except psycopg.Error:
        known = ", ".join(sorted(url.query))
        raise ConfigurationError(
            f"{origin} has a parameter that libpq doesn't know (it has {known})",
            next_command="set EC_DATABASE_URL to a libpq URI for ec's own connections",
        ) from None
    return Address(parameters)
