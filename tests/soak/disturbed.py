"""A project whose commands are disturbed before they are left in peace, and somebody in the way of its locks."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.crash.schedules import At, random_faults
from tests.fixtures.project import AlembicProject, Ran
from tests.fixtures.wire import Wire

_ACTING = ("migrate", "backfill", "undo", "colour")
_AMONG_ROUNDS = (30, 100, 300)  # about as many as a short command has, a longer one, and the longest
_ATTEMPTS = 200
_LONGEST_IN_THE_WAY = 1.5  # seconds
_SESSIONS = """
SELECT pid FROM pg_stat_activity
 WHERE datname = current_database() AND application_name LIKE 'ec:%' AND pid <> pg_backend_pid()
"""


@dataclass
class DisturbedProject(AlembicProject):
    """
    A project on the far side of a wire. Its acting commands meet faults, and then run until they are done.

    Args:
        wire: by which `ec` reaches its database.
        luck: which faults.
        met: how many of each kind were met.
    """

    wire: Wire | None = None
    luck: random.Random = field(default_factory=random.Random)
    met: Counter[str] = field(default_factory=Counter)

    def ok(self, *arguments: str, **options: Any) -> Ran:
        """Run it with faults ahead, more often than not; then until it succeeds."""
        assert self.wire is not None
        if arguments[0] in _ACTING and self.luck.random() < 0.7:
            for fault in random_faults(self.luck, self.luck.choice(_AMONG_ROUNDS), self._end_a_session):
                self._run_with(fault, arguments)
        self.wire.meet()
        for _ in range(_ATTEMPTS):
            ran = self.ec(*arguments, **options)
            if ran.code != 6:  # what was killed may still be ending
                break
            time.sleep(0.1)
        assert ran.code == 0, ran
        return ran

    def _run_with(self, fault: At, arguments: tuple[str, ...]) -> None:
        assert self.wire is not None
        pid: Future[int] = Future()
        happens = fault(pid)

        def counted(now: Any, side: Any) -> bool:
            is_cut = happens(now, side)
            self.met[fault.what] += is_cut or (now.number, side) == (fault.round, fault.side)
            return is_cut

        self.wire.meet(counted)
        ran = self.ec(*arguments, on_start=pid.set_result)
        assert ran.code in (-9, 0, 6, 7), ran

    def _end_a_session(self) -> None:
        assert self.wire is not None
        with psycopg.connect(self.wire.target, autocommit=True) as connection:
            pids = connection.execute(_SESSIONS).fetchall()
            if pids:
                connection.execute("SELECT pg_terminate_backend(%s)", self.luck.choice(pids))


@contextmanager
def somebody_in_the_way(dsn: str, table: str, luck: random.Random) -> Iterator[None]:
    """Somebody reads the table in transactions that stay open for a while, again and again."""
    stopping = threading.Event()

    def read() -> None:
        while not stopping.is_set():
            with psycopg.connect(dsn, application_name="somebody in the way") as connection:
                there = connection.execute("SELECT to_regclass(%s)", [table]).fetchone()
                if there != (None,):
                    connection.execute(psycopg.sql.SQL("SELECT FROM {} LIMIT 1").format(psycopg.sql.Identifier(table)))
                stopping.wait(luck.uniform(0.0, _LONGEST_IN_THE_WAY))
                connection.rollback()
            stopping.wait(luck.uniform(0.0, 1.0))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
