"""A scratch server, the table that is filled, and a run of the engine on it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from expandcontract.backfill.ending import Outcome
from expandcontract.backfill.engine import Engine
from expandcontract.backfill.session import Settings
from expandcontract.backfill.work import Work
from expandcontract.database import ledger_installation
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.sync_catalog import sync_columns
from expandcontract.database.sync_triggers import create_statements
from expandcontract.domain.change import Backfill, Sync
from expandcontract.proof.installation import choose_installation
from expandcontract.proof.scratch_server import ScratchServer

TABLE = "people"
RENAME = Sync(TABLE, forward={"display_name": "name"}, backward={"name": "display_name"})
# durable, since a COMMIT that costs nothing would flatter many of them; nothing runs in the background that could
# disturb one way and not the other
_SETTINGS = {
    "autovacuum": "off",
    "shared_buffers": "1GB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
    "jit": "off",
}
_COLUMNS = "id bigint, name text, display_name text, pad text, visits int, seen_at timestamptz, city int"
# about 200 bytes a row
_ROWS = (
    "INSERT INTO {} SELECT i, 'person number ' || i, NULL, repeat('x', 110), 0, now() - i * interval '1 s', i %% 1000"
    " FROM generate_series(1, %s) i"
)
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Run:
    """What filling the table once took: seconds by the clock, and of all the server's processes on the processor."""

    seconds: float
    server_seconds: float
    grown: int


class Stage:
    """A server with a table to fill, again and again."""

    def __init__(self, server: ScratchServer) -> None:
        self._server = server
        self._runs = 0
        self.connection = psycopg.connect(server.dsn(), autocommit=True)
        ledger_installation.install(self.connection)

    @property
    def dsn(self) -> str:
        """The server's address."""
        return self._server.dsn()

    def make_table(self, rows: int, *, indexes: bool = False, sync: bool = False) -> None:
        """The table anew, nothing of it filled, with one index or with three more."""
        table = sql.Identifier(TABLE)
        self.connection.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(table))
        self._drop_functions("ec_sync_%")
        self.connection.execute(sql.SQL("CREATE TABLE {} ({})").format(table, sql.SQL(_COLUMNS)))
        self.connection.execute(sql.SQL(_ROWS).format(table), [rows])
        self.connection.execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY (id)").format(table))
        for column in ("name", "seen_at", "city") if indexes else ():
            self.connection.execute(sql.SQL("CREATE INDEX ON {} ({})").format(table, sql.Identifier(column)))
        if sync:
            columns = sync_columns(PsycopgExecutor(self.connection), TABLE, None)
            for statement in create_statements(RENAME, columns, pin_search_path=False):
                self.connection.execute(statement.encode())
        self.connection.execute(sql.SQL("VACUUM {}").format(table))
        self.connection.execute("CHECKPOINT")

    def _drop_functions(self, like: str) -> None:
        for (name,) in self.connection.execute(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE proname LIKE %s", [like]
        ).fetchall():
            self.connection.execute(sql.SQL("DROP FUNCTION {} CASCADE").format(sql.SQL(name)))

    def update(self) -> Run:
        """The way everybody knows: one statement over the whole column."""
        with self._measured() as measured, psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("SET ec.sync = off")
            connection.execute(sql.SQL("UPDATE {} SET display_name = name").format(sql.Identifier(TABLE)))
        return measured()

    def fill(self, *, sync: bool = False, turns: int | None = None, workers: int = 1, **more: Any) -> Run:
        """The backfill, flat out unless a `rate` is given, its verification included."""
        if sync:
            backfill = Backfill(RENAME)
        else:
            backfill = Backfill(TABLE, set={"display_name": "name"}, where="display_name IS NULL", turns=turns)
        return self.timed(backfill, workers=workers, **more)

    def timed(self, backfill: Backfill, **more: Any) -> Run:
        """That backfill to its end."""
        with self._measured() as measured:
            self.run(backfill, **more)
        return measured()

    def run(self, backfill: Backfill, *, rate: int | None = None, workers: int = 1) -> None:
        """One backfill to its end."""
        self._runs += 1
        work = Work(f"run {self._runs}", backfill, False, Settings(rate, workers=workers), lambda executor: None)
        engine = Engine(self._open, work, on_progress=lambda progress: None, stop=lambda: False)
        ended = engine.run()
        if ended.outcome is not Outcome.COMPLETE:
            raise RuntimeError(f"the backfill isn't complete: {ended}")

    @property
    def revision(self) -> str:
        """The last backfill's, in the ledger."""
        return f"run {self._runs}"

    def _open(self, application_name: str) -> psycopg.Connection[Any]:
        return psycopg.connect(self.dsn, autocommit=True, application_name=application_name)

    @contextmanager
    def _measured(self) -> Iterator[Callable[[], Run]]:
        size, busy, began = self._size(), self.busy(), time.perf_counter()
        yield lambda: Run(time.perf_counter() - began, self.busy() - busy, self._size() - size)

    def _size(self) -> int:
        found = self.connection.execute("SELECT pg_relation_size(%s)", [TABLE]).fetchone()
        return int(found[0]) if found else 0

    def busy(self) -> float:
        """Seconds that the server's processes have been on a processor, those that have ended included."""
        postmaster = self._server.pid
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        return (sum(_times(postmaster)) + sum(sum(_times(child)[:2]) for child in children)) / _TICKS


def _times(process: int | str | None) -> list[int]:
    """User and system time, its own and that of its ended children (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html)."""
    try:
        after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return [0, 0, 0, 0]
    return [int(ticks) for ticks in after_name[11:15]]


@contextmanager
def stage(major: int | None = None) -> Iterator[Stage]:
    """A stage that is gone when the block ends."""
    with ScratchServer(choose_installation(major), durable=True, settings=_SETTINGS) as server:
        yield Stage(server)
