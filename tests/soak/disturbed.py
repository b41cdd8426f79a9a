"""A project whose commands are disturbed before they are left in peace, and somebody in the way of its locks."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from expandcontract.errors import ExitCode
from tests.crash.schedules import KINDS, Strike, random_strikes
from tests.crash.site import Site
from tests.fixtures.project import AlembicProject, Ran

_ACTING = ("init", "migrate", "backfill", "undo", "colour", "tombstone")
# A failover loses what its standby hasn't got, for the application as well: it is for those who look at `ec` alone.
_STRIKES = tuple(kind for kind in KINDS if kind != "failover")
_AMONG_ROUNDS = (30, 100, 300)  # about as many as a short command has, a longer one, and the longest
_LONGEST = 120.0  # seconds until a command has to have succeeded
_LONGEST_IN_THE_WAY = 1.5  # seconds
_STRUCK = (-9, ExitCode.DONE, ExitCode.WINDOW_OPEN, ExitCode.TRY_LATER, ExitCode.STEP_FAILED, ExitCode.INTERRUPTED)
_NOT_YET = (ExitCode.WINDOW_OPEN, ExitCode.TRY_LATER)  # what was killed may still be ending


@dataclass
class DisturbedProject(AlembicProject):
    """
    A project on the far side of a wire. Its acting commands meet faults, and then run until they are done.

    Args:
        site: its database, and the wire.
        luck: which faults.
    """

    site: Site | None = None
    luck: random.Random = field(default_factory=random.Random)

    def ok(self, *arguments: str, **options: Any) -> Ran:
        """Run it with faults ahead, more often than not; then until it succeeds."""
        assert self.site is not None
        if arguments[0] in _ACTING and self.luck.random() < 0.7:
            for strike in random_strikes(self.luck, self.luck.choice(_AMONG_ROUNDS), _STRIKES):
                self._run_with(self.site, strike, arguments)
        deadline = time.monotonic() + _LONGEST
        while (ran := self.ec(*arguments, **options)).code in _NOT_YET:
            assert time.monotonic() < deadline, ran
            time.sleep(0.1)
        assert ran.code == 0, ran
        return ran

    def _run_with(self, site: Site, strike: Strike, arguments: tuple[str, ...]) -> None:
        ran = site.run_with(site.meeting(strike), lambda started: self.ec(*arguments, on_start=started))
        assert ran.code in _STRUCK, ran


@contextmanager
def somebody_in_the_way(dsn: str, table: str, luck: random.Random) -> Iterator[None]:
    """Somebody reads the table in transactions that stay open for a while, again and again, as long as it is there."""
    stopping = threading.Event()

    def read() -> None:
        while not stopping.wait(luck.uniform(0.0, 1.0)):
            try:
                with psycopg.connect(dsn, application_name="somebody in the way") as connection:
                    there = connection.execute("SELECT to_regclass(%s)", [table]).fetchone()
                    if there != (None,):
                        connection.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(sql.Identifier(table)))
                    stopping.wait(luck.uniform(0.0, _LONGEST_IN_THE_WAY))
                    connection.rollback()
            except (psycopg.OperationalError, psycopg.errors.UndefinedTable):  # the server is down, or it was dropped
                continue

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
