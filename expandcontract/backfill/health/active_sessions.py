"""How many sessions run a statement at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from expandcontract.backfill.health.signal import Scene, Unreadable, judged, kind_with_limits
from expandcontract.database.health import active_sessions, hidden_sessions
from expandcontract.domain.quantity import NUMBER
from expandcontract.domain.throttle import Limits, Verdict

NAME = "active_sessions"


@dataclass(frozen=True)
class ActiveSessions:
    """Counts the clients' sessions, of all databases, without our own."""

    limits: Limits
    name: str = NAME

    def look(self, scene: Scene) -> Sequence[Verdict]:
        """See `Signal.look`."""
        if hidden_sessions(scene.connection):
            raise Unreadable("the role may not look into the sessions of others: GRANT pg_read_all_stats")
        return [judge(active_sessions(scene.connection), self.limits)]


def judge(active: int, limits: Limits) -> Verdict:
    """The verdict on so many sessions."""
    return judged(NAME, active, limits, NUMBER, what="sessions that run a statement:")


KIND = kind_with_limits(NAME, "sessions that run a statement just now, ours not counted", "off", NUMBER, ActiveSessions)
