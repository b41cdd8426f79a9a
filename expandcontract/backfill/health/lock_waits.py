"""Sessions that wait for a lock on the table, or for a row that the backfill has locked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from expandcontract.backfill.health.signal import Scene, kind_with_limits
from expandcontract.database.health import lock_waits
from expandcontract.domain.quantity import NUMBER, said_against
from expandcontract.domain.throttle import Limits, Verdict

NAME = "lock_waits"


@dataclass(frozen=True)
class LockWaits:
    """Counts those that have waited for half a second: a range's own row locks are shorter."""

    limits: Limits
    name: str = NAME

    def look(self, scene: Scene) -> Sequence[Verdict]:
        """See `Signal.look`."""
        return [judge(*lock_waits(scene.connection, scene.root), self.limits)]


def judge(waiting: int, longest: float, limits: Limits) -> Verdict:
    """The verdict on so many sessions, of which one waits for `longest` seconds."""
    words = f"{said_against(waiting, limits, NUMBER)} session(s) wait, the longest for {longest:.1f} s"
    return Verdict(NAME, limits.level(waiting), words)


KIND = kind_with_limits(
    NAME,
    "sessions that have waited for half a second or longer for a lock on the table or its partitions, or for a row that"
    " a worker has locked",
    "slow 1, stop 5",
    NUMBER,
    LockWaits,
)
