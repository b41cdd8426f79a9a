"""How many bytes of WAL a standby or a subscriber hasn't replayed yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from expandcontract.backfill.health.signal import Scene, judged, kind_with_limits
from expandcontract.database.health import Standby, wal_position
from expandcontract.domain.quantity import BYTES
from expandcontract.domain.throttle import Limits, Verdict

NAME = "replication_lag"


@dataclass(frozen=True)
class ReplicationLag:
    """
    Looks at each standby.

    The limit to stop holds between two looks as well: see `ceiling`.
    """

    limits: Limits
    name: str = NAME

    def look(self, scene: Scene) -> Sequence[Verdict]:
        """See `Signal.look`."""
        return judge(wal_position(scene.connection), scene.standbys, self.limits)

    def ceiling(self, standbys: Sequence[Standby]) -> int | None:
        """
        How far the WAL may get until the next look; None where nothing bounds it.

        A standby only ever gets on, so as long as the WAL is below, none is further behind than the limit to stop.
        """
        if self.limits.stop is None:
            return None
        known = [one.replayed for one in standbys if one.replayed is not None]
        return min(known) + int(self.limits.stop) if known else None


def judge(written: int, standbys: Sequence[Standby], limits: Limits) -> list[Verdict]:
    """A verdict on each standby that has said where it is, when the WAL is at `written`."""
    return [
        judged(NAME, max(0, written - one.replayed), limits, BYTES, subject=one.name, what=f"{one.name} is behind by")
        for one in standbys
        if one.replayed is not None
    ]


KIND = kind_with_limits(
    NAME,
    "bytes of WAL that a standby or a subscriber hasn't replayed, each by itself",
    "slow 64MB, stop 256MB",
    BYTES,
    ReplicationLag,
)
