"""A query of the user's that gives one number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from expandcontract.backfill.health.signal import Scene, judged, one_value
from expandcontract.domain.quantity import NUMBER
from expandcontract.domain.throttle import Limits, Verdict


@dataclass(frozen=True)
class Query:
    """Runs it on the primary, with the search path of the backfill's own sessions."""

    name: str
    query: str
    limits: Limits

    def look(self, scene: Scene) -> Sequence[Verdict]:
        """See `Signal.look`."""
        return [judged(self.name, one_value(scene.connection, self.query), self.limits, NUMBER, what="the query gives")]
