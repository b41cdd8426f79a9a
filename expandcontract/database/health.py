"""What the server says about its own health; locks nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.queries import queries


@dataclass(frozen=True)
class Standby:
    """
    A session that replicates from here.

    Attributes:
        name: its application_name, or its address where it has none of its own.
        state: ``streaming`` or ``catchup``; None where the role may not see it.
        replayed: how far it is in the WAL, in bytes; None while it hasn't said so.
        late: seconds by which it is late, as it last said; None where it has nothing to replay.
        is_physical: whether it is a standby, and no subscriber or archive.
    """

    name: str
    state: str | None
    replayed: int | None
    late: float | None
    is_physical: bool


@dataclass(frozen=True)
class Archiver:
    """What is known of the archive; ``last`` is the last file archived, ``current`` the one written now."""

    is_on: bool
    last: str | None
    current: str
    file_size: int
    fails: bool


@dataclass(frozen=True)
class Vacuuming:
    """Whether autovacuum works on a table, whether to prevent wraparound; ``hidden``: there are runs we may not see."""

    works: bool
    prevents_wraparound: bool
    hidden: bool


def _rows(connection: psycopg.Connection[Any], query: str, /, **parameters: object) -> list[tuple[Any, ...]]:
    return PsycopgExecutor(connection).rows(queries("health")[query], parameters)


def standbys(connection: psycopg.Connection[Any]) -> tuple[Standby, ...]:
    """Who replicates from here, subscribers and archives included."""
    return tuple(Standby(*row) for row in _rows(connection, "standbys"))


def wal_position(connection: psycopg.Connection[Any]) -> int:
    """How far the WAL is, in bytes from its beginning."""
    return int(_rows(connection, "wal_position")[0][0])


def slots(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Bytes of WAL that each replication slot keeps."""
    return dict(_rows(connection, "slots"))


def archiver(connection: psycopg.Connection[Any]) -> Archiver:
    """What is known of the archive."""
    return Archiver(*_rows(connection, "archiver")[0])


def lock_waits(connection: psycopg.Connection[Any], root: int) -> tuple[int, float]:
    """How many sessions wait for a lock on the table, or for our workers, and the longest wait in seconds."""
    waiting, longest = _rows(connection, "lock_waits", root=root)[0]
    return int(waiting), longest or 0.0


def autovacuum(connection: psycopg.Connection[Any], root: int) -> Vacuuming:
    """Whether autovacuum works on the table or its partitions."""
    return Vacuuming(*_rows(connection, "autovacuum", root=root)[0])


def dead_rows(connection: psycopg.Connection[Any], root: int) -> tuple[int, int]:
    """Dead and live rows of the table and its partitions, as the statistics have them."""
    dead, live = _rows(connection, "dead_rows", root=root)[0]
    return int(dead), int(live)


def transaction_age(connection: psycopg.Connection[Any]) -> tuple[str, int]:
    """The database with the oldest transaction id, and how many there have been since."""
    name, age = _rows(connection, "transaction_age")[0]
    return str(name), int(age)


def oldest_snapshot(connection: psycopg.Connection[Any]) -> tuple[str, float] | None:
    """Who has the oldest snapshot of this database, and for how many seconds."""
    rows = _rows(connection, "oldest_snapshot")
    return (str(rows[0][0]), float(rows[0][1])) if rows else None


def active_sessions(connection: psycopg.Connection[Any]) -> int:
    """How many sessions of others run a statement just now."""
    return int(_rows(connection, "active_sessions")[0][0])


def hidden_sessions(connection: psycopg.Connection[Any]) -> int:
    """How many sessions of this database the role may not look into."""
    return int(_rows(connection, "hidden_sessions")[0][0])


def clock(connection: psycopg.Connection[Any]) -> datetime:
    """The database's clock."""
    moment: datetime = _rows(connection, "clock")[0][0]
    return moment
