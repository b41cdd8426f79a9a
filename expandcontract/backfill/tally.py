"""What the workers of one process add up to: how far they are, and whether the run's bounds let them go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from expandcontract.backfill.ending import Bounds, Ended, Outcome
from expandcontract.backfill.progress import Progress, Speed
from expandcontract.database.backfill_ledger import BackfillLedger
from expandcontract.database.backfill_records import Position

_READ_EVERY = 2.0  # seconds: how old the other processes' share of the progress may be
_READS_AT_MOST = 0.01  # of the time: adding up the ranges takes the longer, the more there are


class Tally:
    """
    What the workers of this process have done together, and whether they are to go on; called from several threads.

    Args:
        known: where the backfill is when the run begins.
        revision: the change, as the ledger's key.
        on_progress: told after each range, and while the backfill waits.
        stop: whether somebody has asked to end.
        bounds: where the run ends before the backfill.
    """

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
        """Whether nobody has asked to end, and no bound is reached."""
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
        """How many of `batch` rows the run's bound leaves; they are kept for the caller until `releases`."""
        with self._lock:
            if self._bounds.rows is not None:
                batch = max(0, min(batch, self._bounds.rows - self._rows - self._reserved))
            self._reserved += batch
            return batch

    def releases(self, reserved: int) -> None:
        """The rows that were reserved are done, or aren't needed."""
        with self._lock:
            self._reserved -= reserved

    def did(self, rows: int, written: int, batch: int, ledger: BackfillLedger) -> None:
        """A range is finished; the ledger tells what other processes have done meanwhile."""
        with self._lock:
            self._rows += rows
            self._since_read.append((rows, written))
            now = time.monotonic()
            if now >= self._read_next:
                self._known, self._since_read = ledger.position(self._revision), []
                self._read_next = now + max(_READ_EVERY, (time.monotonic() - now) / _READS_AT_MOST)
            self._report(batch)

    def pass_done(self, ledger: BackfillLedger) -> None:
        """Another pass begins, or the backfill has ended."""
        with self._lock:
            self._known, self._since_read = ledger.position(self._revision), []

    def waits(self, reason: str) -> None:
        """The backfill is paused."""
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
