"""Asking the other servers of the system, as far as their addresses are known, whether this one is the primary."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

import psycopg

from expandcontract.commands.side_by_side import side_by_side
from expandcontract.config import Settings
from expandcontract.database.address import Address
from expandcontract.database.instances import ask, look_at
from expandcontract.domain.instance import Rival, rival
from expandcontract.errors import ConfigurationError, ServerUnfit

_PATIENCE = 3.0  # seconds for all of them; a server that is down often doesn't even say so


def rival_of(settings: Settings, address: Address, connection: psycopg.Connection[Any]) -> Rival | None:
    """
    What the other hosts of the address, and the configured replicas, say against the server at hand.

    One that doesn't answer says nothing, and without another address nobody is asked.

    Args:
        settings: the settings.
        address: all hosts among which libpq chooses.
        connection: to the server at hand, in autocommit mode.
    """
    others = _others(settings, address)
    if not others:
        return None
    name = connection.info.parameter_status("application_name") or "ec"
    found = side_by_side({other: partial(ask, other, where, name) for other, where in others.items()}, _PATIENCE)
    return rival(look_at(connection), [one for one in found.values() if one is not None])


def check_has_no_rival(settings: Settings, address: Address, connection: psycopg.Connection[Any]) -> None:
    """
    Check that a session which was opened in the midst of a run is on the primary.

    Raises:
        ServerUnfit: other servers of the system say that it isn't, or that it isn't the only one.
    """
    found = rival_of(settings, address, connection)
    if found is not None:
        raise ServerUnfit("the server isn't the one primary", because=found.because, next_command=found.next)


def replicas_of(settings: Settings) -> dict[str, Address]:
    """The configured replicas of which the address is known; whoever needs another one says so."""
    found = {}
    for replica in settings.replicas:
        with suppress(ConfigurationError):
            found[f"replica {replica.name}"] = replica.address()
    return found


def _others(settings: Settings, address: Address) -> dict[str, Address]:
    """Every address of a server of the system but the one that leads nowhere else anyway."""
    hosts = address.hosts if len(address.hosts) > 1 else {}
    return {**hosts, **replicas_of(settings)}
