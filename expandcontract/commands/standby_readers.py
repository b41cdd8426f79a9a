"""
Who reads on a standby what a step is about to lock.

A standby replays ACCESS EXCLUSIVE as soon as the primary has it, rolled back or not. While somebody still reads there,
its replay stands still, and everybody who comes after waits behind it, for as long as ``max_standby_streaming_delay``
(https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-CONFLICT). So it is asked first.
"""

from __future__ import annotations

from functools import partial

import psycopg

from expandcontract.alembic_bridge.revisions import Revision
from expandcontract.alembic_bridge.task import Readers
from expandcontract.commands.instances import replicas_of
from expandcontract.commands.side_by_side import side_by_side
from expandcontract.commands.situation import Situation
from expandcontract.database.activity import long_readers, oids_of
from expandcontract.database.address import Address
from expandcontract.database.connect import connect, connect_to_any
from expandcontract.domain.blocker import Blocker
from expandcontract.domain.phase import Phase
from expandcontract.errors import EcError

_PATIENCE = 3.0  # seconds for all of them; one that doesn't answer says nothing


def readers_ahead(situation: Situation, revision: Revision, phase: Phase, index: int) -> Readers:
    """What finds, on the replicas that are configured, the long readers of the tables that a part will lock."""
    replicas = replicas_of(situation.settings)
    if not replicas:
        return tuple
    locked = situation.exclusively_locked(revision, phase, index)
    with connect(
        situation.address, application_name=situation.actor.application_name, pin_search_path=False
    ) as connection:
        oids = oids_of(connection, locked)
    seconds = situation.settings.lock_timeout.total_seconds()

    def look() -> tuple[Blocker, ...]:
        asked = {
            name: partial(_readers, name, address, oids, seconds, situation.actor.application_name)
            for name, address in replicas.items()
        }
        found = side_by_side(asked, _PATIENCE) if oids else {}
        return tuple(reader for readers in found.values() for reader in readers)

    return look


def _readers(
    name: str, address: Address, oids: list[int], seconds: float, application_name: str
) -> tuple[Blocker, ...]:
    try:
        with connect_to_any(address, application_name=application_name, patience=2) as connection:
            return long_readers(connection, oids, seconds, name)
    except (psycopg.Error, EcError):
        return ()
