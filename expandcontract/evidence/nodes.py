"""The servers on which the application's statements run: the primary, and each replica that the configuration names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import psycopg

from expandcontract.database.address import Address, address_from_text
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.own_statements import OwnCursor
from expandcontract.database.statements import take_sample
from expandcontract.domain.options import made_from
from expandcontract.domain.redaction import redact, secrets_of
from expandcontract.domain.statements import PRIMARY, Sample
from expandcontract.errors import ConfigurationError


@dataclass(frozen=True)
class ReplicaOptions:
    """How a replica is reached; one of the two."""

    address: str | None = None  # without a password; that is libpq's to find
    address_env: str | None = None  # the environment variable that has the address

    def __post_init__(self) -> None:
        if (self.address is None) == (self.address_env is None):
            raise ValueError("needs address or address_env, and not both")


@dataclass(frozen=True)
class Replica:
    """A replica by its name in the configuration."""

    name: str
    options: ReplicaOptions

    def address(self) -> Address:
        """
        Where it is.

        Raises:
            ConfigurationError: the variable that is to have it isn't set, or it is no address.
        """
        origin = self.options.address_env or f"replicas.{self.name}"
        text = self.options.address or os.environ.get(origin, "")
        if not text:
            raise ConfigurationError(f"{origin}, which is to have its address, isn't set")
        return address_from_text(text, origin=origin)

    def sample(self, at: datetime, seconds: float, application_name: str) -> Sample:
        """What its ``pg_stat_statements`` has just now; one that can't be reached is a sample that says why."""
        try:
            address = self.address()
        except ConfigurationError as error:
            return Sample(self.name, at, trouble=self._hidden(str(error)))
        try:
            wait = str(max(2, round(seconds)))  # libpq knows no less than two
            info = address.conninfo(application_name=application_name, connect_timeout=wait)
            with psycopg.connect(info, autocommit=True, cursor_factory=OwnCursor) as connection:
                connection.execute("SELECT set_config('search_path', 'pg_catalog', false)")
                return take_sample(PsycopgExecutor(connection), self.name, at)
        except psycopg.Error as error:
            return Sample(self.name, at, trouble=f"it can't be reached: {self._hidden(str(error))}")

    def _hidden(self, words: str) -> str:
        return redact(" ".join(words.split()), secrets_of(self.options, os.environ))


def read_replicas(table: object) -> tuple[tuple[Replica, ...], list[str]]:
    """The replicas in ``[tool.expandcontract.replicas]``, and every mistake with its place."""
    if not isinstance(table, Mapping):
        return (), ["replicas must be a table"]
    found, mistakes = [], []
    for name, options in table.items():
        if not isinstance(options, Mapping) or name == PRIMARY:
            words = "must be a table of another name" if name == PRIMARY else "must be a table"
            mistakes.append(f"replicas.{name} {words}, such as [tool.expandcontract.replicas.reports]")
            continue
        try:
            found.append(Replica(name, made_from(ReplicaOptions, options)))
        except ValueError as error:
            mistakes.append(f"replicas.{name}: {error}")
    return tuple(found), mistakes
