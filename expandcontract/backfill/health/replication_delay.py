"""
How long ago what a standby replays now was written.

What it says itself (``replay_lag``) stays as it was when its replay stands still, so we remember when the WAL was
where, and look up when it was where the standby is
(https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-REPLICATION-VIEW).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from expandcontract.backfill.health.signal import Scene, judged, kind_with_limits
from expandcontract.database.health import Standby, wal_position
from expandcontract.domain.quantity import SECONDS
from expandcontract.domain.throttle import Limits, Verdict

NAME = "replication_delay"
_REMEMBERED = 3600  # looks: an hour of them


class ReplicationDelay:
    """Looks at each standby, and remembers where the WAL was at each look."""

    name = NAME

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._was: deque[tuple[float, int]] = deque(maxlen=_REMEMBERED)

    def look(self, scene: Scene) -> Sequence[Verdict]:
        """See `Signal.look`."""
        self._was.append((scene.now, wal_position(scene.connection)))
        return judge(self._was, scene.standbys, scene.now, self._limits)


def judge(was: Iterable[tuple[float, int]], standbys: Sequence[Standby], now: float, limits: Limits) -> list[Verdict]:
    """A verdict on each standby; `was` says when the WAL was where, the oldest look first."""
    remembered = tuple(was)
    return [
        judged(NAME, _delay(remembered, one, now), limits, SECONDS, subject=one.name, what=f"{one.name} is late by")
        for one in standbys
        if one.replayed is not None
    ]


def _delay(was: Sequence[tuple[float, int]], standby: Standby, now: float) -> float:
    """At least so many seconds: since the first look at which more had been written than it has replayed."""
    ahead = next((moment for moment, written in was if written > (standby.replayed or 0)), now)
    return round(max(now - ahead, standby.late or 0.0), 1)


KIND = kind_with_limits(
    NAME,
    "how long ago what a standby or a subscriber replays now was written, each by itself",
    "slow 5s, stop 30s",
    SECONDS,
    ReplicationDelay,
)
