"""The demo's account: what the clients were told, against what the table holds."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql


@dataclass(frozen=True)
class Acknowledged:
    """One write that a client knows to be committed; `at` is on the machine's monotonic clock, the same for all."""

    at: float
    id: int
    version: int
    name: str


@dataclass(frozen=True)
class Report:
    """What one client process did. `found` counts the names it read by the colour that wrote them."""

    requests: int
    failed: int
    first_failure: str | None
    longest_wait_ms: float
    found: Mapping[str, int]
    acknowledged: Sequence[Acknowledged]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Report:
        """The report in a client's own words."""
        writes = [Acknowledged(*write) for write in document["acknowledged"]]
        return cls(**{**document, "acknowledged": writes})


@dataclass(frozen=True)
class Snapshot:
    """Every row of ``users`` at one moment: its id and version, and its name in each of the columns there were."""

    began: float
    rows: Sequence[tuple[int, int, tuple[str | None, ...]]]


def take_snapshot(connection: psycopg.Connection[Any], columns: Sequence[str]) -> Snapshot:
    """The rows now, while the clients go on writing."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    began = time.monotonic()
    found = connection.execute(sql.SQL("SELECT id, version, {} FROM users").format(names)).fetchall()
    return Snapshot(began, [(row[0], row[1], tuple(row[2:])) for row in found])


class Model:
    """
    What the table must hold at any moment: the seed, and all that was acknowledged.

    Every version of a row has one name. A write that was acknowledged before a snapshot began must be in it.
    """

    def __init__(self, users: int, reports: Iterable[Report]) -> None:
        self._users = range(1, users + 1)
        self._writes = sorted((write for report in reports for write in report.acknowledged), key=lambda one: one.at)
        self._names = {(write.id, write.version): write.name for write in self._writes}

    def wrong_rows(self, snapshot: Snapshot) -> int:
        """How many rows are lost, older than promised, or have a name that isn't the one of their version."""
        promised = self._versions_at(snapshot.began)
        wrong = 0
        for id_, version, names in snapshot.rows:
            name = self._name(id_, version)
            is_right = version >= promised.pop(id_, 0) and name is not None and set(names) == {name}
            wrong += not is_right
        return wrong + len(promised)

    def _versions_at(self, moment: float) -> dict[int, int]:
        versions = dict.fromkeys(self._users, 1)
        for write in self._writes:
            if write.at >= moment:
                break
            versions[write.id] = max(versions.get(write.id, 0), write.version)
        return versions

    def _name(self, id_: int, version: int) -> str | None:
        seed = seed_name(id_) if id_ in self._users and version == 1 else None
        return self._names.get((id_, version), seed)


def seed_name(id_: int) -> str:
    """The name that a user of the first filling has: like each name with its writer, and with its version."""
    return f"seed-{id_} v1"
