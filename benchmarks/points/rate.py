"""Point 2: how exactly a rate is kept, and what that costs the client."""

from __future__ import annotations

import time
from itertools import pairwise

from points.figure import Figure, Options
from points.stage import Stage, stage

_RATE = 10_000
_WARM = 2.0  # seconds that don't count
_WINDOW = 10.0


def measure(options: Options) -> list[Figure]:
    """One run of `options.seconds`, looked at through every window of ten seconds."""
    with stage() as one:
        one.make_table(round(_RATE * (options.seconds + _WARM)))
        began, busy = time.monotonic(), time.process_time()
        one.fill(rate=_RATE)
        share = (time.process_time() - busy) / (time.monotonic() - began)
        rates = _windows(_done(one))
    return [
        Figure(2, "rows/s in the slowest window of 10 s", min(rates), "rows/s", least=0.99 * _RATE),
        Figure(2, "rows/s in the fastest window of 10 s", max(rates), "rows/s", most=1.01 * _RATE),
        Figure(2, "the client's share of one core", share, "", most=0.15),
    ]


def _done(one: Stage) -> list[tuple[float, float]]:
    """When so many rows were done, from the ledger."""
    query = (
        "SELECT extract(epoch FROM done_at)::float8, sum(rows_seen) OVER (ORDER BY done_at)::float8"
        " FROM ec.backfill_range WHERE revision = %s AND pass = 1 AND state = 'done' ORDER BY done_at"
    )
    return one.connection.execute(query, [one.revision]).fetchall()


def _windows(done: list[tuple[float, float]]) -> list[float]:
    """Rows per second in the window that begins at each range's end; what is between two ends counts in proportion."""
    first, last = done[0][0] + _WARM, done[-1][0]
    if last - first < _WINDOW:
        raise SystemExit(f"point 2 needs more than {_WARM + _WINDOW:g} s, and had {last - done[0][0]:.1f} s")
    starts = [at for at, _ in done if first <= at <= last - _WINDOW]
    return [(_rows_at(done, at + _WINDOW) - _rows_at(done, at)) / _WINDOW for at in starts]


def _rows_at(done: list[tuple[float, float]], moment: float) -> float:
    for (before, rows), (after, more) in pairwise(done):
        if before <= moment <= after:
            return rows + (more - rows) * (moment - before) / max(after - before, 1e-9)
    return done[-1][1]
