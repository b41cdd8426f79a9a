"""How many rows of the table are dead, and so how far autovacuum is behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from expandcontract.backfill.health.signal import Scene, judged, kind_with_limits
from expandcontract.database.health import dead_rows
from expandcontract.domain.quantity import PERCENT
from expandcontract.domain.throttle import Limits, Verdict

NAME = "dead_tuples"
_FEW = 1000  # rows: in a small table a share means nothing


@dataclass(frozen=True)
class DeadRows:
    """Reads the statistics of the table and its partitions."""

    limits: Limits
    name: str = NAME

    def look(self, scene: Scene) -> Sequence[Verdict]:
        """See `Signal.look`."""
        return [judge(*dead_rows(scene.connection, scene.root), self.limits)]


def judge(dead: int, live: int, limits: Limits) -> Verdict:
    """The verdict on so many dead rows beside so many live ones."""
    return judged(NAME, dead / max(live, _FEW), limits, PERCENT, what="dead rows, of those alive:")


KIND = kind_with_limits(
    NAME, "dead rows of the table and its partitions, as a share of those alive", "off", PERCENT, DeadRows
)
