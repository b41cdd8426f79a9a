"""The ledger's part for the ranges of a backfill: who works, who has which range, and when the next one may start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from expandcontract.database.backfill_records import KeyValue, Range, Stretch
from expandcontract.database.executor import Executor
from expandcontract.database.queries import queries
from expandcontract.domain.pace import Bucket

WORKERS = 0x6564  # the namespace of their advisory locks, which belong to a database: "ec" in ASCII, and what follows
_SETTLES = 1.0  # seconds that a turn waits at most for older transactions to end, before it makes do with less room


class RangeLedger:
    """
    Hands ranges to workers and takes them back, in whatever transaction the executor has.

    The backfill must be locked (see `BackfillLedger.lock`) where a range is handed out or the rate is used.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def _rows(self, query: str, /, **parameters: object) -> list[tuple[Any, ...]]:
        return self._executor.rows(queries("backfill_range")[query], parameters)

    def put_worker(self, revision: str, root: int, *, host: str, pid: int) -> int:
        """Record this session as a worker; its number is its own until the session ends, and never comes again."""
        facts = {"revision": revision, "root": root, "host": host, "pid": pid, "namespace": WORKERS}
        return int(self._rows("put_worker", **facts)[0][0])

    def drop_worker(self, worker: int) -> None:
        """Forget a worker that ends by itself."""
        self._rows("drop_worker", worker=worker)

    def take_free(self, revision: str, number_of_pass: int, worker: int, *, lease: float) -> Range | None:
        """Lease, for `lease` seconds, the first range that nobody has; None where there is none."""
        rows = self._rows("take_free", revision=revision, worker=worker, lease=lease, **{"pass": number_of_pass})
        return _range(rows[0]) if rows else None

    def free_orphans(self, revision: str, number_of_pass: int) -> int:
        """Make the ranges of workers whose session has ended free; how many there were."""
        return len(self._rows("free_orphans", revision=revision, namespace=WORKERS, **{"pass": number_of_pass}))

    def lives(self, worker: int) -> bool:
        """Whether the session of that worker hasn't ended."""
        return bool(self._rows("verifier_lives", worker=worker, namespace=WORKERS)[0][0])

    def hand_out(
        self,
        revision: str,
        number_of_pass: int,
        stretch: Stretch,
        upper: KeyValue,
        *,
        rows: int,
        worker: int,
        lease: float,
    ) -> Range:
        """Lease the next range of the stretch, up to `upper`, with the `rows` rows of all turns."""
        where = {"revision": revision, "pass": number_of_pass, "stretch": stretch.number}
        self._rows("hand_out", upper_key=list(upper), **where)
        first = rows // stretch.turns
        range_ = Range(0, stretch.number, stretch.upper_key, upper, first, 1, 0, rows - first)
        return self._put_range(where, range_, worker=worker, lease=lease)

    def close_stretch(self, revision: str, number_of_pass: int, stretch: int) -> None:
        """A partition was dropped: nothing of it is left to do."""
        self._rows("close_stretch", revision=revision, stretch=stretch, **{"pass": number_of_pass})

    def put_verifier(self, revision: str, worker: int | None) -> None:
        """Record who decides how to go on after the pass; the backfill must be locked."""
        self._rows("put_verifier", revision=revision, worker=worker)

    def bucket(self, revision: str) -> tuple[Bucket, float]:
        """What the shared rate has given out, and the database's clock in seconds; the backfill must be locked."""
        paid_until, not_before, now = self._rows("bucket", revision=revision)[0]
        return Bucket(paid_until, not_before), now

    def put_bucket(self, revision: str, bucket: Bucket) -> None:
        """Record what the shared rate has given out."""
        self._rows("put_bucket", revision=revision, paid_until=bucket.paid_until, not_before=bucket.not_before)

    def lease_more(self, range_: Range, worker: int, *, lease: float) -> None:
        """The lease ends `lease` seconds from now."""
        self._rows("lease_more", id=range_.id, worker=worker, lease=lease)

    def hold(self, range_: Range, worker: int) -> bool:
        """Keep the range from being taken over until the transaction ends; False where it has been."""
        return bool(self._rows("hold_range", id=range_.id, worker=worker))

    def finish(
        self,
        range_: Range,
        worker: int,
        *,
        written: int = 0,
        seen: int | None = None,
        found: int | None = None,
        seconds: float,
    ) -> bool:
        """
        Record a range in the transaction that wrote its rows, or that looked how many of those `seen` need it.

        False where somebody has taken it over.
        """
        facts = {"written": written, "seen": seen, "found": found, "seconds": seconds}
        return bool(self._rows("finish_range", id=range_.id, worker=worker, **facts))

    def free(self, range_: Range, worker: int, *, after: float = 0.0) -> None:
        """Give the range back; it may be taken again after so many seconds."""
        self._rows("free_range", id=range_.id, worker=worker, after=after)

    def split(
        self, revision: str, number_of_pass: int, range_: Range, middle: KeyValue, *, rows: int, after: float = 0.0
    ) -> None:
        """End the range at `middle`, after `rows` rows; the rest becomes a free range. It must be held."""
        left = range_.rows_left * rows // max(1, range_.rows)
        self._rows("shrink_range", id=range_.id, upper_key=list(middle), rows=rows, rows_left=left)
        where = {"revision": revision, "pass": number_of_pass, "stretch": range_.stretch}
        rest = replace(range_, lower=middle, rows=range_.rows - rows, rows_left=range_.rows_left - left)
        self._put_range(where, rest, worker=None, lease=after)

    def put_aside(self, range_: Range, *, error: str, sqlstate: str) -> None:
        """The one row of the range can't be filled. It must be held."""
        self._rows("set_aside", id=range_.id, error=error, sqlstate=sqlstate)

    def follow(self, range_: Range) -> None:
        """Let the next turn over the same span be a range, once, in the transaction that ends this one."""
        self._rows("follow", id=range_.id, patience=_SETTLES)

    def _put_range(self, where: dict[str, Any], range_: Range, *, worker: int | None, lease: float) -> Range:
        facts = {
            "lower_key": None if range_.lower is None else list(range_.lower),
            "upper_key": list(range_.upper),
            "turn": range_.turn,
            "rows": range_.rows,
            "rows_left": range_.rows_left,
            "attempts": range_.attempts,
        }
        id_ = self._rows("put_range", worker=worker, lease=lease, **where, **facts)[0][0]
        return replace(range_, id=id_)


def _range(row: tuple[Any, ...]) -> Range:
    id_, stretch, lower, upper, *rest = row
    return Range(id_, stretch, None if lower is None else tuple(lower), tuple(upper), *rest)
