"""Who keeps us waiting, how to end it, and how a transaction has ended."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

import psycopg

from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.queries import queries
from expandcontract.domain.blocker import Blocker

_LOOK_EVERY = 0.05  # seconds; a wait shorter than this hurt nobody
_LONG = 3.0  # seconds: then whoever started the step wonders


def blockers(connection: psycopg.Connection[Any], pid: int) -> tuple[Blocker, ...]:
    """Who keeps the backend `pid` waiting just now."""
    return tuple(
        Blocker(*row) for row in PsycopgExecutor(connection).rows(queries("activity")["blockers"], {"pid": pid})
    )


def oids_of(connection: psycopg.Connection[Any], names: Sequence[str]) -> list[int]:
    """The relations of these names that are there, by the search path of the connection; a standby has the same."""
    return [oid for (oid,) in PsycopgExecutor(connection).rows(queries("activity")["oids"], {"names": list(names)})]


def long_readers(
    connection: psycopg.Connection[Any], oids: Sequence[int], seconds: float, place: str
) -> tuple[Blocker, ...]:
    """
    Who has been reading one of these tables for longer than so many `seconds`; nobody on a server that is no standby.

    Args:
        connection: to the standby.
        oids: the tables.
        seconds: how long.
        place: how to call the standby.
    """
    connection.execute("SELECT pg_catalog.set_config('search_path', 'pg_catalog', false)")
    rows = PsycopgExecutor(connection).rows(queries("activity")["long_readers"], {"oids": list(oids), "bound": seconds})
    return tuple(replace(Blocker(*row), place=place) for row in rows)


def end(connection: psycopg.Connection[Any], blocker: Blocker) -> bool:
    """
    Cancel what the blocker does, or end its session where it idles in its transaction; whether that was done.

    Not where it is in another transaction by now, and not where we may not.
    """
    facts = {"pid": blocker.pid, "began": blocker.began}
    try:
        rows = PsycopgExecutor(connection).rows(queries("activity")["end_blocker"], facts)
    except psycopg.errors.InsufficientPrivilege:
        return False
    return bool(rows and rows[0][0])


def is_committed(connection: psycopg.Connection[Any], transaction: str) -> bool:
    """Whether the transaction of that number has ended well."""
    rows = PsycopgExecutor(connection).rows(queries("activity")["is_committed"], {"transaction": transaction})
    return bool(rows[0][0])


@dataclass(frozen=True)
class Stall:
    """How many statements of the application a step kept waiting, and the longest wait in seconds."""

    statements: int
    longest: float


class LockWatch:
    """
    Looks, from another connection and while a step runs, at who keeps it waiting, and at whom it keeps waiting.

    After the time-out there is nothing to see any more: ``last_seen`` holds the blockers of the last look that saw any.
    A step that has its locks and keeps the application waiting for longer than the bound is cancelled; then ``stall``
    says why.

    Args:
        connection: to look through, in autocommit mode.
        pid: the step's backend.
        bound: seconds.
        tell: told once of each blocker for whom it waits long where it has no time-out.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], pid: int, bound: float, tell: Callable[[tuple[Blocker, ...]], None]
    ) -> None:
        self._tell = tell
        self._has_no_timeout = False
        self._connection = connection
        self._facts = {"pid": pid, "bound": bound}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="ec-lock-watch", daemon=True)
        self.last_seen: tuple[Blocker, ...] = ()
        self.stall: Stall | None = None

    def __enter__(self) -> LockWatch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    @contextmanager
    def without_timeout(self) -> Iterator[None]:
        """While this lasts, the step waits for as long as it takes, and keeps nobody waiting meanwhile."""
        self._has_no_timeout = True
        try:
            yield
        finally:
            self._has_no_timeout = False

    def _tell_of(self, now: tuple[Blocker, ...], since: dict[int, float]) -> None:
        moment = time.monotonic()
        for gone in since.keys() - {one.pid for one in now}:
            del since[gone]
        if not self._has_no_timeout:
            return
        lasting = tuple(one for one in now if moment - since.setdefault(one.pid, moment) > _LONG)
        if lasting:
            since.update((one.pid, math.inf) for one in lasting)
            self._tell(lasting)

    def _watch(self) -> None:
        executor = PsycopgExecutor(self._connection)
        told: dict[int, float] = {}  # since when each blocker has been one; infinity once it was told of
        while not self._stop.wait(_LOOK_EVERY):
            try:
                now = blockers(self._connection, int(self._facts["pid"]))
                self.last_seen = now or self.last_seen
                self._tell_of(now, told)
                for kept in executor.rows(queries("activity")["kept_waiting"], self._facts):
                    self.stall = Stall(*kept)
                    executor.rows(queries("activity")["cancel"], self._facts)
            except psycopg.Error:  # the report is a courtesy; the step itself will say what is wrong
                return
