"""One worker: range after range, each in its own transaction with its own row in the ledger."""

from __future__ import annotations

import random
import time
from typing import Any

import psycopg
from psycopg import sql
from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled, SerializationFailure, UndefinedTable

from expandcontract.backfill.dispatcher import Dispatcher, Over, PassDone, Taken, Wait
from expandcontract.backfill.kinds.choice import kind_of
from expandcontract.backfill.kinds.kind import CannotFill, NotFalsified, Write
from expandcontract.backfill.passes import decide_after
from expandcontract.backfill.ranges import RangeStatements, Walk
from expandcontract.backfill.session import Session
from expandcontract.backfill.stretches import walking
from expandcontract.backfill.tally import Tally
from expandcontract.backfill.verification import look, needy
from expandcontract.backfill.work import Work
from expandcontract.database.backfill_records import BackfillState
from expandcontract.database.connect import is_lost
from expandcontract.database.row_errors import is_about_a_row
from expandcontract.domain.pace import SMALLEST, Pace
from expandcontract.errors import LockBudgetSpent, StepFailed

_IN_THE_WAY = (LockNotAvailable, DeadlockDetected, SerializationFailure, QueryCanceled)
_RETRIES = 20
_LOSSES = 4  # a statement that ends its own session, or the whole server, must not do so for ever
MOST_SET_ASIDE = 1000  # rows: where more can't be filled, the expression is at fault rather than the rows
_LONGEST_NAP = 0.2  # seconds; how late a signal may be heard while a worker waits


class Filler:
    """
    Fills ranges over one session until nothing is to be done any more.

    Args:
        session: the worker's own.
        work: what to do.
        tally: told of each range.
    """

    def __init__(self, session: Session, work: Work, tally: Tally) -> None:
        self._session = session
        self._connection: psycopg.Connection[Any] = session.connection
        self._ledger = session.ledger
        self._ranges = session.ranges
        self._work = work
        self._tally = tally
        self._dispatcher = Dispatcher(
            session,
            work.revision,
            work.backfill,
            lease=work.settings.lease,
            watched=work.settings.watched,
        )
        self._pace = Pace.start(work.settings.rate, target=work.settings.target)
        self._kind = kind_of(session.connection, work.backfill)
        self._needy = needy(session.connection, work.backfill, new_code_wrote=work.new_code_wrote)
        self._judged = False

    def run(self) -> Over | None:
        """
        How the backfill ended; None where this run was told to end before it.

        Raises:
            LockBudgetSpent: a range ran into locks again and again; the position is kept.
            StepFailed: the connection was lost again and again at one range; the position is kept.
            psycopg.Error: a range failed for another reason; the position is kept.
        """
        while self._tally.may_go_on():
            reserved = self._tally.reserve(self._pace.batch)
            if reserved == 0:
                self._nap(_LONGEST_NAP)  # other workers of this run have the rest of its bound
                continue
            try:
                answer = self._dispatcher.take(self._pace, most=reserved)
                match answer:
                    case Taken():
                        self._pace = self._pace.at_rate(answer.rate)
                        self._do(answer)
                    case Wait():
                        if answer.reason:
                            self._tally.waits(answer.reason)
                        self._nap(answer.seconds)
                    case PassDone():
                        decide_after(self._session, self._work, answer.number_of_pass)
                        self._tally.pass_done(self._ledger)
                    case Over():
                        return answer
            except LockNotAvailable:  # on the ledger itself, where another worker takes its range
                self._nap(random.uniform(0, _LONGEST_NAP))  # noqa: S311  # jitter
            finally:
                self._tally.releases(reserved)
        return None

    def _nap(self, seconds: float) -> bool:
        """Wait that long; False as soon as this run is to end."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if not self._tally.may_go_on():
                return False
            time.sleep(min(left, _LONGEST_NAP))
        return True

    def _do(self, taken: Taken) -> None:
        """Fill a range, or give it back."""
        if not self._nap(taken.wait):
            self._ranges.free(taken.range, self._session.worker)
            return
        try:
            if taken.verifies:
                self._look(taken)
            else:
                self._fill(taken)
        except (*_IN_THE_WAY, OSError) as error:
            self._pace = self._pace.slower()
            self._give_back(taken, error)
        except UndefinedTable:
            if not self._is_gone(taken):
                raise
            self._ranges.close_stretch(self._work.revision, taken.number_of_pass, taken.stretch.number)
        except psycopg.Error as error:
            if is_lost(error) and taken.range.attempts > _LOSSES:
                raise _lost_again(self._work.revision, error) from error
            if not is_about_a_row(error):
                raise
            self._narrow_down(taken, _words(error), error.sqlstate or "")
        except CannotFill as error:
            self._narrow_down(taken, str(error), "")

    def _fill(self, taken: Taken) -> None:
        """One range: its rows and its row in the ledger, in one transaction."""
        began, range_, worker = time.monotonic(), taken.range, self._session.worker
        write = self._kind.prepare(self._statements(taken), range_.lower, range_.upper)
        with self._connection.transaction():
            if not self._ranges.hold(range_, worker):
                return  # its lease ended while we were away, and somebody has taken it over
            written = self._write(write)
            self._ranges.finish(range_, worker, written=written, seconds=time.monotonic() - began)
            self._follow(taken)
        self._pace = self._pace.took(range_.rows, time.monotonic() - began)
        self._tally.did(range_.rows, written, self._pace.batch, self._ledger)

    def _number(self, query: sql.Composed) -> int:
        found = self._connection.execute(query).fetchone()
        return int(found[0]) if found else 0

    def _statements(self, taken: Taken) -> RangeStatements:
        return RangeStatements(self._work.backfill, taken.stretch, self._needy, taken.range.turn)

    def _look(self, taken: Taken) -> None:
        """One range of a pass that verifies: how many of its rows need it, those set aside not counted."""
        began, range_, worker = time.monotonic(), taken.range, self._session.worker
        with self._connection.transaction():
            if not self._ranges.hold(range_, worker):
                return
            if not taken.stretch.can_be_verified_in_ranges:
                self._connection.execute("SET LOCAL statement_timeout = 0")
            except_for = [row for row in self._ledger.failures(self._work.revision) if row.is_of(taken.stretch)]
            walk = Walk(self._work.backfill, taken.stretch)
            seen, found = look(self._connection, walk, range_.lower, range_.upper, self._needy, except_for)
            self._ranges.finish(range_, worker, seen=seen, found=found, seconds=time.monotonic() - began)
        self._pace = self._pace.took(seen, time.monotonic() - began)
        self._tally.did(seen, 0, self._pace.batch, self._ledger)

    def _write(self, write: Write) -> int:
        """Write the rows; the first ones are looked at once more: the sooner a useless backfill ends, the better."""
        if self._judged:
            return write.run()
        written, in_vain = write.run_and_judge()
        if written and in_vain:
            raise NotFalsified(written)
        self._judged = written > 0
        return written

    def _give_back(self, taken: Taken, error: Exception) -> None:
        """Half of the range for later and the rest for whoever comes: what is locked is soon alone in a small range."""
        range_, worker = taken.range, self._session.worker
        if range_.attempts > _RETRIES:
            self._ranges.free(range_, worker)
            raise LockBudgetSpent(
                f"a range of backfill {self._work.revision} was tried {_RETRIES} times in vain; the position is kept",
                because=_words(error),
                next_command=f"ec backfill {self._work.revision}",
            )
        pause = random.uniform(0, min(2.0, 0.05 * 2**range_.attempts))  # noqa: S311  # jitter
        with self._connection.transaction():
            if not self._ranges.hold(range_, worker):
                return
            half = range_.rows // 2
            if half >= SMALLEST // 2:
                self._split(taken, half)
            self._ranges.free(range_, worker, after=pause)

    def _narrow_down(self, taken: Taken, words: str, sqlstate: str) -> None:
        """A row of the range can't be filled: the range is halved until that row is alone, and then set aside."""
        range_, worker = taken.range, self._session.worker
        with self._connection.transaction():
            if not self._ranges.hold(range_, worker):
                return
            rows = self._number(self._statements(taken).count(range_.lower, range_.upper))
            if rows > 1:
                self._split(taken, rows // 2)
            elif rows == 1:
                self._split(taken, 1)  # so that the range ends with the row's own key
                self._ranges.put_aside(range_, error=words, sqlstate=sqlstate)
                self._follow(taken)
                self._give_up_where_too_many(words)
                return
            self._ranges.free(range_, worker)

    def _follow(self, taken: Taken) -> None:
        if taken.range.turn + 1 < taken.stretch.turns:
            self._ranges.follow(taken.range)

    def _split(self, taken: Taken, rows: int) -> None:
        """End the range after so many of its rows; the rest is free for whoever comes. The range must be held."""
        range_ = taken.range
        walking(self._connection)
        query = self._statements(taken).nth_key(range_.lower, range_.upper, rows)
        found = self._connection.execute(query).fetchone()
        if found and tuple(found) != range_.upper:
            self._ranges.split(self._work.revision, taken.number_of_pass, range_, tuple(found), rows=rows)

    def _give_up_where_too_many(self, words: str) -> None:
        revision = self._work.revision
        if self._ledger.set_aside().get(revision, 0) >= MOST_SET_ASIDE:
            reason = f"{MOST_SET_ASIDE} rows can't be filled, so it is no use to look for more; the last: {words}"
            self._ledger.put_state(revision, BackfillState.FAILED, reason)

    def _is_gone(self, taken: Taken) -> bool:
        name = sql.Identifier(taken.stretch.schema, taken.stretch.relation).as_string(None)
        return self._ledger.root(name) is None


def _lost_again(revision: str, error: psycopg.Error) -> StepFailed:
    return StepFailed(
        f"the connection was lost again and again at the same range of backfill {revision}; the position is kept",
        because=f"{_words(error)}; the server's log may say why",
        next_command=f"ec backfill {revision}",
    )


def _words(error: Exception) -> str:
    return (error.diag.message_primary if isinstance(error, psycopg.Error) else None) or str(error)
