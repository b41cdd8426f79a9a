"""Where a life is played: a database on a server of its own, by way of a wire, and whatever may strike there."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

import psycopg

from expandcontract.proof.scratch_server import ScratchServer
from tests.crash.schedules import Strike, What
from tests.fixtures.project import until
from tests.fixtures.servers import Database, Server, make_database, make_role, ram_disk
from tests.fixtures.standby import Pair, Standby, with_base_backup
from tests.fixtures.wire import Fault, Round, Side, Wire, no_fault, wire_to

MakeFault = Callable[["Future[int]"], Fault]  # from the process id of whoever will meet it
T = TypeVar("T")

_SETTINGS = {"max_wal_size": "256MB", "wal_keep_size": "256MB", "wal_receiver_status_interval": 1}
_AT_HOME = "UPDATE ec.database SET oid = (SELECT oid::int8 FROM pg_database WHERE datname = current_database())"
_ON_ITS_TIMELINE = """
UPDATE ec.database SET timeline = ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int4
 WHERE timeline IS NOT NULL
"""
_FROZEN = 0.3  # seconds
_END_ONE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE client_port = ANY(%s) ORDER BY backend_start DESC LIMIT 1
"""


@dataclass
class Site:
    """
    A database of a role that may run `ec`.

    Args:
        database: on whatever server is the primary now.
        primary: that server.
        wire: the way to it for whom something shall strike.
        standby: a copy that follows the primary, once one was needed.
        struck: what has struck here, and how often.
    """

    database: Database
    primary: ScratchServer
    wire: Wire
    standby: Standby | None = None
    struck: Counter[What] = field(default_factory=Counter)

    def meeting(self, strike: Strike) -> MakeFault:
        """A fault of the wire that is this strike."""

        def make(pid: Future[int]) -> Fault:
            if strike.what in ("restart", "failover"):
                self._be_logged()
            if strike.what == "failover":
                self._be_followed()

            def fault(now: Round, side: Side) -> bool:
                if (now.number, side) != (strike.round, strike.side):
                    return False
                if side == "during":
                    time.sleep(strike.moment / 1000)
                return self._strike(strike.what, pid.result())

            return fault

        return make

    def killing(self, is_it: Callable[[Round, Side], bool]) -> MakeFault:
        """``kill -9`` at the first place of which this is true."""
        return lambda pid: lambda now, side: is_it(now, side) and self._strike("kill", pid.result())

    def run_with(self, make: MakeFault, run: Callable[[Callable[[int], None]], T]) -> T:
        """
        Run something with this fault ahead, and wait until it has happened where it has begun to.

        Args:
            make: the fault.
            run: is given what has to be told the process id.
        """
        pid: Future[int] = Future()
        happening, fault = threading.Lock(), make(pid)

        def waited_for(now: Round, side: Side) -> bool:
            with happening:
                return fault(now, side)

        self.wire.meet(waited_for)
        ran = run(pid.set_result)
        self.wire.fault = no_fault
        with happening:  # whoever met it may have given up before
            return ran

    def _strike(self, what: What, pid: int) -> bool:
        """Whether the connection is cut by it."""
        self.struck[what] += 1
        match what:
            case "kill":
                os.kill(pid, signal.SIGKILL)
            case "stop":
                os.kill(pid, signal.SIGTERM)
            case "freeze":
                os.kill(pid, signal.SIGSTOP)
                threading.Timer(_FROZEN, os.kill, (pid, signal.SIGKILL)).start()
            case "end":
                with psycopg.connect(self.database.dsn, autocommit=True) as connection:
                    connection.execute(_END_ONE, [self.wire.ports])
            case "restart":
                self.primary.restart("immediate")
            case "failover":
                self._fail_over()
            case "cut":
                pass  # the wire does it
        return what in ("kill", "cut", "failover")

    def _be_logged(self) -> None:
        """Of a copied sequence the server doesn't log the next 32 values before a checkpoint: lost, they come again."""
        with psycopg.connect(self.primary.dsn(), autocommit=True) as admin:
            admin.execute("CHECKPOINT")

    def _be_followed(self) -> None:
        """Have a standby that has everything there is now."""
        if self.standby is None:
            self.standby = Standby(self.primary, "replica-1", settings=_SETTINGS).__enter__()
        pair = Pair(self.primary, self.standby)
        until(lambda: pair.is_streaming() and pair.behind() == 0, what="the standby has everything")

    def _fail_over(self) -> None:
        """The primary is lost with whatever its standby hasn't got; that is the primary from now on."""
        assert self.standby is not None
        lost, self.primary, self.standby = self.primary, self.standby, None
        lost.kill()
        with self.primary.ask() as connection:
            connection.execute("SELECT pg_promote()")  # and waits until it is
        self.database = Database(self.database.name, replace(self.database.server, admin_dsn=self.primary.dsn()))
        self.wire.target = self.database.dsn
        self.wire.cut()
        lost.close()
        self._settle_in(_ON_ITS_TIMELINE)

    def be_at_home(self) -> None:
        """A copy passes for its original, and for one whose traffic was recorded since the last failover."""
        self._settle_in(_AT_HOME, _ON_ITS_TIMELINE)

    def _settle_in(self, *statements: str) -> None:
        with psycopg.connect(self.database.superuser_dsn, autocommit=True) as connection:
            if connection.execute("SELECT to_regclass('ec.database')").fetchone() != (None,):
                for statement in statements:
                    connection.execute(statement.encode())

    def close(self) -> None:
        """End its servers."""
        for server in (self.standby, self.primary):
            if server is not None:
                server.close()


@contextmanager
def made_site() -> Iterator[Site]:
    """A site with an empty database, while the block lasts."""
    with ScratchServer(with_base_backup(), settings=_SETTINGS, parent=ram_disk()) as primary:
        password = make_role(primary.dsn(), "app")
        database = make_database(Server(primary.dsn(), True, primary.version[0], "app", password))
        with wire_to(database.dsn) as wire:
            site = Site(database, primary, wire)
            try:
                yield site
            finally:
                site.close()
