"""How long a query takes that stands for the application's own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from psycopg import sql
from psycopg.errors import LockNotAvailable, QueryCanceled

from expandcontract.backfill.health.signal import Scene, judged, kind_with_limits
from expandcontract.domain.quantity import SECONDS
from expandcontract.domain.throttle import Limits, Verdict

NAME = "latency"
_REMEMBERED = 5  # looks, of which the median counts: one slow answer is no disturbance


class Latency:
    """
    Runs a query and takes the time.

    Args:
        limits: in seconds.
        query: what is run; by default, one row of the table is read.
    """

    name = NAME

    def __init__(self, limits: Limits, query: str | None = None) -> None:
        self._limits = limits
        self._query = query
        self._took: list[float] = []

    def look(self, scene: Scene) -> Sequence[Verdict]:
        """See `Signal.look`; a query that runs into a time-out took that long."""
        query = sql.SQL("SELECT FROM {} LIMIT 1").format(_table(scene)) if self._query is None else self._query.encode()
        began = time.monotonic()
        with suppress(QueryCanceled, LockNotAvailable):
            scene.connection.execute(query)
        self._took = [*self._took, time.monotonic() - began][-_REMEMBERED:]
        return [judge(self._took, self._limits)]


def judge(took: Sequence[float], limits: Limits) -> Verdict:
    """The verdict on the last few answers, by their median: of an even number, the smaller of the middle two."""
    median = sorted(took)[(len(took) - 1) // 2]
    return judged(NAME, round(median, 4), limits, SECONDS, what="the probe takes")


def _table(scene: Scene) -> sql.Composable:
    found = scene.connection.execute("SELECT CAST(%s AS int8)::oid::regclass::text", [scene.root]).fetchone()
    return sql.SQL((found or ("",))[0])  # quoted by the server


KIND = kind_with_limits(
    NAME,
    "how long the last five probes took, by their median: `latency_query`, or else a read of one row of the table",
    "off",
    SECONDS,
    Latency,
)
