"""One run of a backfill: workers in threads of this process, beside those of other processes on other machines."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psycopg

from expandcontract.backfill.ending import NO_BOUNDS, Bounds, Ended, Outcome
from expandcontract.backfill.progress import Progress
from expandcontract.backfill.session import OpenConnection, Session, open_session
from expandcontract.backfill.tally import Tally
from expandcontract.backfill.work import Work
from expandcontract.backfill.worker import Filler
from expandcontract.database.backfill_records import BackfillState
from expandcontract.database.connect import is_lost
from expandcontract.errors import ServerUnreachable

_ASK_AGAIN = 0.5  # seconds between two attempts to reach a server that has gone away
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
        self._tally = Tally(self._first.ledger.position(work.revision), work.revision, on_progress, stop, bounds)
        self._ended: Ended | None = None
        self._error: BaseException | None = None

    def run(self) -> Ended:
        """
        Go on from where the ledger says the backfill is, with every other process that works on it, to the end.

        Raises:
            LockBudgetSpent: a range ran into locks again and again; the position is kept.
            ServerUnreachable: the server went away, and didn't come back in time; the position is kept.
            StepFailed: the connection was lost again and again at one range; the position is kept.
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
            except (psycopg.Error, ServerUnreachable) as error:
                if session is not None and not (session.connection.closed or is_lost(error)):
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
