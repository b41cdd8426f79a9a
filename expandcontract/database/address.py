"""Where the database is: parsed once, shown only without secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from expandcontract.domain.redaction import misread
from expandcontract.errors import ConfigurationError

_DRIVER = re.compile(r"^postgresql\+\w+://")  # SQLAlchemy's way to name one
_SSL = re.compile(r"([?&])ssl=")  # asyncpg's word for it
_SHOWN = ("host", "hostaddr", "port", "dbname", "user")
_CHOOSES_A_PRIMARY = frozenset({"read-write", "primary"})
_CHOOSING = ("target_session_attrs", "load_balance_hosts")
_DEFAULT_PORT = "5432"


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

    @property
    def hosts(self) -> Mapping[str, Address]:
        """Each host with its port, and the address that leads there alone; one where the address names no more."""
        named = {key: self.parameters.get(key, "").split(",") for key in ("host", "hostaddr", "port")}
        found = {}
        for number in range(max(len(named["host"]), len(named["hostaddr"]))):
            single = {key: values[number] if number < len(values) else values[0] for key, values in named.items()}
            others = {key: value for key, value in self.parameters.items() if key not in (*named, *_CHOOSING)}
            name = f"{single['host'] or single['hostaddr']}:{single['port'] or _DEFAULT_PORT}"
            found[name] = Address({**others, **{key: value for key, value in single.items() if value}})
        return found

    @property
    def any_of(self) -> tuple[str, ...]:
        """The hosts, where there are several and the address doesn't say that only a primary will do."""
        chooses = self.parameters.get("target_session_attrs") in _CHOOSES_A_PRIMARY
        return () if chooses or len(self.hosts) < 2 else tuple(self.hosts)

    def __str__(self) -> str:
        # an unescaped @ in a password makes the rest of the password look like a part of the host
        shown = [f"{name}={self.parameters[name].rpartition('@')[2]}" for name in _SHOWN if self.parameters.get(name)]
        return " ".join(shown) or "the default server"


def check_login(text: str, *, origin: str) -> None:
    """
    Refuse a URL of which a part of the password would be taken for the host or the port, and shown.

    Raises:
        ConfigurationError: such a URL.
    """
    if reason := misread(text):
        raise ConfigurationError(f"{origin} is no URL that can be read", because=reason)


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
    check_login(text, origin=origin)
    if "\0" in text:
        raise wrong
    try:
        parsed = conninfo_to_dict(_SSL.sub(r"\1sslmode=", _DRIVER.sub(r"postgresql://", text)))
    except psycopg.Error:
        raise wrong from None
    return Address({name: str(value) for name, value in parsed.items() if value is not None})
