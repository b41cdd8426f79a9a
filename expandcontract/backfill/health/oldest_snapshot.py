"""For how long a transaction has kept dead rows from being removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from expandcontract.backfill.health.signal import Scene, Unreadable, judged, kind_with_limits
from expandcontract.database.health import hidden_sessions, oldest_snapshot
from expandcontract.domain.quantity import SECONDS
from expandcontract.domain.throttle import Limits, Verdict

NAME = "oldest_snapshot"


@dataclass(frozen=True)
class OldestSnapshot:
    """Looks at the sessions and the prepared transactions of the database."""

    limits: Limits
    name: str = NAME

    def look(self, scene: Scene) -> Sequence[Verdict]:
        """See `Signal.look`."""
        if hidden_sessions(scene.connection):
            raise Unreadable("the role may not look into the sessions of others: GRANT pg_read_all_stats")
        return [judge(oldest_snapshot(scene.connection), self.limits)]


def judge(oldest: tuple[str, float] | None, limits: Limits) -> Verdict:
    """The verdict on who has the oldest snapshot, for how many seconds."""
    who, seconds = oldest or ("nobody", 0.0)
    return judged(NAME, float(round(seconds)), limits, SECONDS, what=f"{who} has had a snapshot for")


KIND = kind_with_limits(
    NAME,
    "how long a transaction of this database, open or prepared, has kept dead rows from being removed",
    "off",
    SECONDS,
    OldestSnapshot,
)
