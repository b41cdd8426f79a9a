"""Who keeps us waiting."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import psycopg

from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.queries import queries

_LOOK_EVERY = 0.05  # seconds; a wait shorter than this hurt nobody


@dataclass(frozen=True)
class Blocker:
    """A session, or a prepared transaction (then ``gid`` is set and ``pid`` is 0), that holds what we wait for."""

    pid: int
    age: float | None  # seconds since its transaction began
    role: str | None
    application_name: str | None
    state: str | None
    query: str | None
    gid: str | None

    def __str__(self) -> str:
        age = f"{self.age:.1f} s" if self.age is not None else "unknown"
        if self.gid is not None:
            return f"prepared transaction {self.gid!r} (owner {self.role}, age {age}); see pg_prepared_xacts"
        query = " ".join((self.query or "").split())
        return (
            f"pid {self.pid} (role {self.role}, application {self.application_name or 'without a name'},"
            f" {self.state}, transaction age {age}): {query}"
        )


def blockers(connection: psycopg.Connection[Any], pid: int) -> tuple[Blocker, ...]:
    """Who keeps the backend `pid` waiting just now."""
    return tuple(
        Blocker(*row) for row in PsycopgExecutor(connection).rows(queries("activity")["blockers"], {"pid": pid})
    )


class BlockerWatch:
    """
    Looks, from another connection and while a statement waits, at who keeps it waiting.

    After the time-out there is nothing to see any more. ``last_seen`` holds the blockers of the last look that saw any.
    """

    def __init__(self, connection: psycopg.Connection[Any], pid: int) -> None:
        self._connection = connection
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="ec-blocker-watch", daemon=True)
        self.last_seen: tuple[Blocker, ...] = ()

    def __enter__(self) -> BlockerWatch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK_EVERY):
            try:
                self.last_seen = blockers(self._connection, self._pid) or self.last_seen
            except psycopg.Error:  # the report is a courtesy; the step itself will say what is wrong
                return
