"""
Looks at the health signals of a backfill about once a second, and tells all its workers through the ledger.

Each process that moves rows has a watch, and one of them looks: whoever leases the backfill's health in the ledger.
Where that one dies or hangs, another takes over when the lease has ended, and meanwhile no range begins.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import psycopg

from expandcontract.backfill.health.outside import InBackground
from expandcontract.backfill.health.replication_lag import ReplicationLag
from expandcontract.backfill.health.signal import Scene, Signal, Unreadable
from expandcontract.database.backfill_ledger import BackfillLedger
from expandcontract.database.catalog import regclass
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.health_ledger import HealthLedger, ThrottleKind
from expandcontract.domain.change import Backfill
from expandcontract.domain.throttle import Level, Throttle, Verdict

LOOKS_EVERY = 1.0
_LEASE = 10.0  # seconds; less than what a look may be old before workers wait (in sql/backfill.sql)
_STATEMENT_TIMEOUT = 2000  # milliseconds
_FIRST_LOOK = 5.0  # seconds that a run waits for it; longer, and its workers say what they wait for


@dataclass(frozen=True)
class Watched:
    """A signal, and whether the backfill stands still where it can't be read: somebody has asked for it by name."""

    signal: Signal
    is_required: bool


@dataclass(frozen=True)
class What:
    """What a watch looks at: the signals, without the standbys that don't count."""

    signals: tuple[Watched, ...]
    ignored_standbys: frozenset[str] = frozenset()


@dataclass
class _Look:
    """A connection to look through, and when it was used last."""

    connection: psycopg.Connection[Any]
    root: int
    at: float = field(default_factory=time.monotonic)


class Watch:
    """
    Watches while a ``with`` block lasts, in a thread of its own.

    Args:
        open_connection: gives an autocommit connection with the user's search path, under an application name.
        revision: the change, as the ledger's key; its backfill has begun.
        backfill: its backfill.
        what: what is looked at.
        says: told once of each signal that can't be read and isn't required.
    """

    def __init__(
        self,
        open_connection: Callable[[str], psycopg.Connection[Any]],
        revision: str,
        backfill: Backfill,
        what: What,
        says: Callable[[str], None],
    ) -> None:
        self._open_connection = open_connection
        self._revision = revision
        self._backfill = backfill
        self._what = what
        self._says = says
        self._said: set[str] = set()
        self._me = str(uuid4())
        self._end = threading.Event()
        self._has_looked = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"ec-health-{revision}", daemon=True)

    def __enter__(self) -> Self:
        if self._what.signals:
            self._thread.start()
            self._has_looked.wait(_FIRST_LOOK)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end.set()
        for watched in self._what.signals:
            if isinstance(watched.signal, InBackground):
                watched.signal.end()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        look: _Look | None = None
        while not self._end.is_set():
            try:
                look = look or self._connect()
                self._look(look)
            except Exception as error:  # a thread that ended unheard would keep the backfill waiting for ever
                self._say_once(f"the health signals can't be looked at: {' '.join(str(error).split())}")
                if look is not None:
                    look.connection.close()
                look = None
            self._has_looked.set()
            self._end.wait(LOOKS_EVERY)
        if look is not None:
            self._leave(look)

    def _connect(self) -> _Look:
        connection = self._open_connection(f"ec:health:{self._revision}")
        for name, value in (
            ("statement_timeout", _STATEMENT_TIMEOUT),
            ("lock_timeout", _STATEMENT_TIMEOUT),
            # a standby that commits wait for may be the very one that is to be reported
            ("synchronous_commit", "off"),
        ):
            connection.execute("SELECT pg_catalog.set_config(%s, %s, false)", [name, str(value)])
        root = BackfillLedger(PsycopgExecutor(connection)).root(
            regclass(self._backfill.table, self._backfill.table_schema)
        )
        return _Look(connection, root or 0)

    def _look(self, look: _Look) -> None:
        ledger = HealthLedger(PsycopgExecutor(look.connection), self._revision)
        before = ledger.take_watch(self._me, lease=_LEASE)
        if before is None:
            return
        scene = Scene(look.connection, look.root, self._what.ignored_standbys)
        verdicts = [verdict for watched in self._what.signals for verdict in self._ask(watched, scene)]
        throttle = before.after(verdicts, scene.now - look.at)
        look.at = scene.now
        reasons = throttle.reasons(verdicts)
        told = "; ".join(verdict.reason for verdict in reasons) or None
        with look.connection.transaction():
            if ledger.put(self._me, throttle, reason=told, wal_ceiling=self._ceiling(scene)):
                _record(ledger, throttle, reasons)

    def _ask(self, watched: Watched, scene: Scene) -> Sequence[Verdict]:
        signal = watched.signal
        try:
            return signal.look(scene)
        except Exception as error:  # a fault of the signal's, too: nobody else would hear of it
            if scene.connection.closed:
                raise
            words = f"it can't be read: {' '.join(str(error).split()) or type(error).__name__}"
            if watched.is_required:
                return [Verdict(signal.name, Level.OVER, words)]
            self._say_once(f"health: {signal.name}: {words}; it isn't watched")
            return []

    def _ceiling(self, scene: Scene) -> int | None:
        signals = [watched.signal for watched in self._what.signals]
        lag = next((signal for signal in signals if isinstance(signal, ReplicationLag)), None)
        try:
            return lag.ceiling(scene.standbys) if lag else None
        except (Unreadable, psycopg.Error):
            return None  # the signal itself has said so

    def _leave(self, look: _Look) -> None:
        try:
            with look.connection:
                ledger = HealthLedger(PsycopgExecutor(look.connection), self._revision)
                if ledger.leave_watch(self._me):
                    ledger.end_throttle()
        except psycopg.Error:
            pass  # the lease ends by itself

    def _say_once(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self._says(sentence)


def _record(ledger: HealthLedger, throttle: Throttle, reasons: Sequence[Verdict]) -> None:
    """Note what begins and what ends."""
    kind = ThrottleKind.STOP if throttle.is_stopped else ThrottleKind.SLOW
    now = {(verdict.about, kind): verdict for verdict in reasons}
    lasting = ledger.lasting()
    for about, ended in lasting - now.keys():
        ledger.end_throttle(about, ended)
    for about, began in now.keys() - lasting:
        ledger.begin_throttle(about, began, now[about, began].reason)
