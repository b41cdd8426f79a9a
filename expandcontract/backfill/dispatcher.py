"""
Who does which range: taken from the ledger one at a time, at the rate that all workers share.

A range is handed out in a transaction that holds the backfill's row. It is leased: free again when the lease ends, or
at once when the worker's session does. The lease decides who may try; that only its holder can finish it is checked
in the transaction that writes the rows, against the worker's number, which never comes again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from psycopg.errors import UndefinedTable

from expandcontract.backfill.ranges import Walk
from expandcontract.backfill.session import Session
from expandcontract.backfill.stretches import next_upper, walking
from expandcontract.database.backfill_records import BackfillState, Orders, Range, Stretch
from expandcontract.domain.change import Backfill
from expandcontract.domain.pace import READS_PER_WRITE, Pace
from expandcontract.domain.throttle import Throttle

_OTHERS_AT_WORK = 0.2  # seconds until a worker without a range asks again
_PAUSED = 0.5
_UNSEEN = 0.2


@dataclass(frozen=True)
class Taken:
    """A range to fill or (`verifies`) to look at, after `wait` seconds, with its pass and what is left of the rate."""

    range: Range
    stretch: Stretch
    number_of_pass: int
    verifies: bool
    rate: int | None
    wait: float


@dataclass(frozen=True)
class Wait:
    """No range now; ask again after so many seconds. `reason` where the backfill is paused, or its health stops it."""

    seconds: float
    reason: str | None = None


@dataclass(frozen=True)
class PassDone:
    """Every range of the pass is done, and this worker is the one to decide how to go on."""

    number_of_pass: int


@dataclass(frozen=True)
class Over:
    """Nothing is to be done any more: the backfill's state, and why."""

    state: BackfillState
    reason: str | None


Answer = Taken | Wait | PassDone | Over


class Dispatcher:
    """
    Hands ranges to one worker.

    Args:
        session: the worker's own.
        revision: the change, as the ledger's key.
        backfill: what to write.
        lease: seconds that a range is the worker's own, counted from when it may start.
        watched: whether a watch of this process looks at the health signals, so that no range may begin unseen.
    """

    def __init__(
        self,
        session: Session,
        revision: str,
        backfill: Backfill,
        *,
        lease: float,
        watched: bool = False,
    ) -> None:
        self._connection = session.connection
        self._ledger = session.ledger
        self._ranges = session.ranges
        self._worker = session.worker
        self._revision = revision
        self._backfill = backfill
        self._lease = lease
        self._watched = watched
        self._stretches: dict[tuple[int, int], Stretch] = {}

    def take(self, pace: Pace, *, most: int | None = None) -> Answer:
        """
        A range of about a batch of rows, at most `most`, or what to do instead.

        The transaction needn't reach the disk before its answer does: what it handed out is in the WAL before the rows
        that are filled because of it.
        """
        while True:
            try:
                with self._connection.transaction():
                    self._connection.execute("SET LOCAL synchronous_commit = off")
                    return self._take(pace, most)
            except _TableGone as gone:
                self._ranges.close_stretch(self._revision, gone.number_of_pass, gone.stretch)

    def _take(self, pace: Pace, most: int | None) -> Answer:
        orders = self._ledger.lock(self._revision)
        if orders is None:
            return Over(BackfillState.CANCELLED, "the change has been undone")
        if orders.state is BackfillState.PAUSED:
            return Wait(_PAUSED, orders.reason or "paused")
        if orders.state is not BackfillState.RUNNING:
            return Over(orders.state, orders.reason)
        if orders.health is None and self._watched:
            return Wait(_UNSEEN, "the health signals haven't been looked at yet, or not for 15 s")
        if orders.health is not None and orders.health.is_stopped:
            return Wait(_PAUSED, orders.health.reason)
        if orders.verifies and orders.rate is not None:
            orders = replace(orders, rate=orders.rate * READS_PER_WRITE)
        throttle = Throttle(orders.health.share if orders.health else 1.0)
        pace = pace.at_rate(throttle.rate(orders.rate))
        batch = pace.batch if most is None else min(pace.batch, most)
        if self._backfill.batch is not None and not orders.verifies:
            batch = min(batch, self._backfill.batch)
        return self._range(orders, pace, batch, throttle) or self._nothing_free(orders)

    def _range(self, orders: Orders, pace: Pace, batch: int, throttle: Throttle) -> Taken | None:
        number = orders.number_of_pass
        taken = self._ranges.take_free(self._revision, number, self._worker, lease=self._lease)
        if taken is not None:
            stretch = self._stretch(number, taken.stretch)
        else:
            walked = self._ledger.next_stretch(self._revision, number)
            if walked is None or walked.last_key is None:
                return None
            stretch, walk = walked, Walk(self._backfill, walked)
            try:
                walking(self._connection)
                if orders.verifies and not walked.can_be_verified_in_ranges:
                    upper, rows = walked.last_key, 0  # whoever looks counts them
                else:
                    upper, rows = next_upper(self._connection, walk, walked.last_key, batch * walked.turns)
            except UndefinedTable as error:
                raise _TableGone(number, walked.number) from error
            taken = self._ranges.hand_out(
                self._revision, number, walked, upper, rows=rows, worker=self._worker, lease=self._lease
            )
        return Taken(taken, stretch, number, orders.verifies, pace.rate, self._reserve(taken, pace, throttle))

    def _reserve(self, taken: Range, pace: Pace, throttle: Throttle) -> float:
        """Seconds until the range may start at what is left of the shared rate; they are no part of its lease."""
        if pace.rate is None:
            wait = throttle.rest(pace.smoothed or pace.target)
        else:
            bucket, now = self._ranges.bucket(self._revision)
            start, bucket = bucket.give(taken.rows, pace.rate, now)
            self._ranges.put_bucket(self._revision, bucket)
            wait = start - now
        if wait > 0:
            self._ranges.lease_more(taken, self._worker, lease=self._lease + wait)
        return wait

    def _nothing_free(self, orders: Orders) -> Answer:
        number = orders.number_of_pass
        if self._ledger.open_ranges(self._revision, number):
            return Wait(0.0 if self._ranges.free_orphans(self._revision, number) else _OTHERS_AT_WORK)
        verifier = orders.verifier
        if verifier not in (None, self._worker) and verifier is not None and self._ranges.lives(verifier):
            return Wait(_OTHERS_AT_WORK)
        self._ranges.put_verifier(self._revision, self._worker)
        return PassDone(number)

    def _stretch(self, number_of_pass: int, number: int) -> Stretch:
        """Its table and its key; how far it has been handed out may be old."""
        if (number_of_pass, number) not in self._stretches:
            known = self._ledger.stretches(self._revision, number_of_pass)
            self._stretches = {
                (number_of_pass, each): replace(stretch, upper_key=None) for each, stretch in known.items()
            }
        return self._stretches[number_of_pass, number]


class _TableGone(Exception):
    """A partition has been dropped since the pass began."""

    def __init__(self, number_of_pass: int, stretch: int) -> None:
        super().__init__(stretch)
        self.number_of_pass = number_of_pass
        self.stretch = stretch
