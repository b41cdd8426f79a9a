"""One run of a backfill: workers in threads of this process, beside those of other processes on other machines."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import psycopg

from expandcontract.backfill.progress import Progress, Speed
from expandcontract.backfill.session import OpenConnection, Session, open_session
from expandcontract.backfill.work import Work
from expandcontract.backfill.worker import Filler
from expandcontract.database.backfill_ledger import BackfillLedger
from expandcontract.database.backfill_records import BackfillState, Position
from expandcontract.errors import ServerUnreachable

_READ_EVERY = 2.0  # seconds: how old the other processes' share of the progress may be
_READS_AT_MOST = 0.01  # of the time: adding up the ranges takes the longer, the more there are
_ASK_AGAIN = 0.5  # seconds between two attempts to reach a server that has gone away


class Outcome(StrEnum):
    """How a run of the engine ended."""

    COMPLETE = "complete"  # every range is done and the predicate finds nothing
    INTERRUPTED = "interrupted"  # asked to stop; the last ranges are committed
    BOUND_REACHED = "bound-reached"  # as many rows or as long as this run was to go
    CANCELLED = "cancelled"  # somebody cancelled the backfill
    FAILED = "failed"  # rows are left, and going on is no use


@dataclass(frozen=True)
class Bounds:
    """
    Where a run ends before its backfill does: after so many rows, or at a moment. None: nowhere.

    ``deadline`` is a time of `time.monotonic`.
    """

    rows: int | None = None
    deadline: float | None = None

    def after(self, rows: int) -> Bounds:
        """What is left of the bounds after so many rows."""
        return self if self.rows is None else replace(self, rows=max(0, self.rows - rows))


NO_BOUNDS = Bounds()


@dataclass(frozen=True)
class Ended:
    """How a run ended, and why where it didn't complete the backfill."""

    outcome: Outcome
    reason: str | None = None


_OUTCOMES = {
    BackfillState.COMPLETE: Outcome.COMPLETE,
    BackfillState.CANCELLED: Outcome.CANCELLED,
    BackfillState.FAILED: Outcome.FAILED,
}


class Engine:
    """
    Fills the rows of one table.

    Args:
        open_connection: gives an autocommit connection with the user's search path, under an application name.
        work: what to do, and how.
        on_progress: told after each range.
        stop: asked before each range whether to end.
        bounds: where the run ends before the backfill.

    Raises:
        RunnerBusy: another backfill fills the same table.
        UsageError: the table doesn't exist, or can't be walked along.
    """

    def __init__(
        self,
        open_connection: OpenConnection,
        work: Work,
        *,
        on_progress: Callable[[Progress], None],
        stop: Callable[[], bool],
        bounds: Bounds = NO_BOUNDS,
    ) -> None:
        self._open_connection = open_connection
        self._work = work
        self._first = open_session(open_connection, work.revision, work.backfill, work.settings, begins=True)
        self._tally = _Tally(self._first.ledger.position(work.revision), work.revision, on_progress, stop, bounds)
        self._ended: Ended | None = None
        self._error: BaseException | None = None

    def run(self) -> Ended:
        """
        Go on from where the ledger says the backfill is, with every other process that works on it, to the end.

        Raises:
            LockBudgetSpent: a range ran into locks again and again; the position is kept.
            ServerUnreachable: the server went away, and didn't come back in time; the position is kept.
            AuthorsMistake, psycopg.Error: a range failed for another reason; the position is kept.
        """
        threads = [
            threading.Thread(target=self._work_on, args=(None,), name=f"ec-backfill-{number}")
            for number in range(2, self._work.settings.workers + 1)
        ]
        for thread in threads:
            thread.start()
        try:
            self._work_on(self._first)  # here, where signals are heard
        finally:
            if self._ended is None:
                self._tally.halt()
            for thread in threads:
                thread.join()
        if self._error is not None:
            raise self._error
        return self._ended or self._tally.ended_early()

    def _work_on(self, session: Session | None) -> None:
        """One worker until the end, over as many sessions as it takes."""
        try:
            over = self._over_sessions(session)
            if over is not None:
                self._ended = over
        except Exception as error:
            self._error = self._error or error
            self._tally.halt()

    def _over_sessions(self, session: Session | None) -> Ended | None:
        gone_since: float | None = None
        while self._tally.may_go_on() or session is not None:
            try:
                session = session or self._join()
                gone_since = None
                over = Filler(session, self._work, self._tally).run()
                return None if over is None else Ended(_OUTCOMES[over.state], over.reason)
            except (psycopg.OperationalError, ServerUnreachable) as error:
                if session is not None and not session.connection.closed:
                    raise
                gone_since = gone_since or time.monotonic()
                if time.monotonic() - gone_since > self._work.settings.patience:
                    raise ServerUnreachable(
                        "the connection was lost, and there was no other; the position is kept",
                        because=" ".join(str(error).split()),
                        next_command=f"ec backfill {self._work.revision}",
                    ) from error
                time.sleep(_ASK_AGAIN)
            finally:
                if session is not None:
                    session.end()
                    session = None
        return None

    def _join(self) -> Session:
        work = self._work
        return open_session(self._open_connection, work.revision, work.backfill, work.settings, begins=False)


class _Tally:
    """What the workers of this process have done together, and whether they are to go on."""

    def __init__(
        self,
        known: Position | None,
        revision: str,
        on_progress: Callable[[Progress], None],
        stop: Callable[[], bool],
        bounds: Bounds,
    ) -> None:
        self._revision = revision
        self._on_progress = on_progress
        self._stop = stop
        self._bounds = bounds
        self._lock = threading.Lock()
        self._halted = threading.Event()
        now = time.monotonic()
        self._read_next = now + _READ_EVERY
        self._speed = Speed(now, known.rows_seen if known else 0)
        self._known = known
        self._rows = 0
        self._reserved = 0
        self._since_read: list[tuple[int, int]] = []

    def halt(self) -> None:
        """Every worker of this process ends after its range."""
        self._halted.set()

    def may_go_on(self) -> bool:
        """See `Reporter`."""
        return not (self._halted.is_set() or self._stop() or self._bound_reached())

    def ended_early(self) -> Ended:
        """Why the workers ended before the backfill did."""
        if self._bound_reached() and not self._stop():
            return Ended(Outcome.BOUND_REACHED, "this run's bound is reached")
        return Ended(Outcome.INTERRUPTED)

    def _bound_reached(self) -> bool:
        bounds = self._bounds
        return (bounds.rows is not None and self._rows >= bounds.rows) or (
            bounds.deadline is not None and time.monotonic() >= bounds.deadline
        )

    def reserve(self, batch: int) -> int:
        """See `Reporter`."""
        with self._lock:
            if self._bounds.rows is not None:
                batch = max(0, min(batch, self._bounds.rows - self._rows - self._reserved))
            self._reserved += batch
            return batch

    def releases(self, reserved: int) -> None:
        """See `Reporter`."""
        with self._lock:
            self._reserved -= reserved

    def did(self, rows: int, written: int, batch: int, ledger: BackfillLedger) -> None:
        """See `Reporter`."""
        with self._lock:
            self._rows += rows
            self._since_read.append((rows, written))
            now = time.monotonic()
            if now >= self._read_next:
                self._known, self._since_read = ledger.position(self._revision), []
                self._read_next = now + max(_READ_EVERY, (time.monotonic() - now) / _READS_AT_MOST)
            self._report(batch)

    def pass_done(self, ledger: BackfillLedger) -> None:
        """See `Reporter`."""
        with self._lock:
            self._known, self._since_read = ledger.position(self._revision), []

    def waits(self, reason: str) -> None:
        """See `Reporter`."""
        with self._lock:
            self._report(0, reason)

    def _report(self, batch: int, waits_for: str | None = None) -> None:
        known = self._known
        if known is None:
            return
        rows = known.rows_seen + sum(seen for seen, _ in self._since_read)
        health = known.health
        self._on_progress(
            Progress(
                revision=self._revision,
                rows=rows,
                of_about=max(known.estimated_rows, rows),
                rows_written=known.rows_written + sum(written for _, written in self._since_read),
                number_of_pass=known.number_of_pass,
                rate=self._speed.at(time.monotonic(), rows),
                batch=batch,
                reason=waits_for or (health.reason if health else None),
                share=health.share if health else 1.0,
                is_waiting=waits_for is not None,
                verifies=known.verifies,
            )
        )
