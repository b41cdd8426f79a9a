"""Where the database is: parsed once, shown only without secrets."""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from expandcontract.errors import ConfigurationError

_SHOWN = ("host", "hostaddr", "port", "dbname", "user")


@dataclass(frozen=True)
class Address:
    """
    Everything libpq needs to connect, and the search path under which the user's own SQL runs.

    `str()` shows an allow-list of the parts, never the text it was made from.
    """

    parameters: dict[str, str] = field(repr=False)
    search_path: str | None = None

    def conninfo(self, **more: str) -> str:
        """The libpq connection string with `more` parameters; it holds the password."""
        return make_conninfo("", **{**self.parameters, **more})

    def __str__(self) -> str:
        # an unescaped @ in a password makes the rest of the password look like a part of the host
        shown = [f"{name}={self.parameters[name].rpartition('@')[2]}" for name in _SHOWN if self.parameters.get(name)]
        return " ".join(shown) or "the default server"


def address_from_text(text: str, *, origin: str) -> Address:
    """
    The address in a SQLAlchemy URL (of any PostgreSQL driver) or a libpq URI or connection string.

    Args:
        text: the address; it may hold a password, so it is never repeated in an error.
        origin: where it was configured, for the error.

    Raises:
        ConfigurationError: it is neither, or names another kind of database.
    """
    wrong = ConfigurationError(
        f"{origin} is not a PostgreSQL address",
        because="it is neither a URL like postgresql://user@host:5432/name nor a libpq connection string",
    )
    if "\0" in text:
        raise wrong
    try:
        if "://" in text and not text.startswith(("postgresql://", "postgres://")):
            return address_from_url(make_url(text), origin=origin)
        return Address({name: str(value) for name, value in conninfo_to_dict(text).items() if value is not None})
    except (ArgumentError, ValueError, psycopg.Error):
        raise wrong from None


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


_LIBPQ_NAMES = {"ssl": "sslmode"}  # asyncpg's spelling
