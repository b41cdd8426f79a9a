"""How fast WAL is written, by everybody."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from expandcontract.backfill.health.signal import Scene, judged, kind_with_limits
from expandcontract.database.health import wal_position
from expandcontract.domain.quantity import BYTES_PER_SECOND
from expandcontract.domain.throttle import Limits, Verdict

NAME = "wal_rate"
_REMEMBERED = 5  # looks: a rate over less than a few seconds is mostly checkpoints


class WalRate:
    """Remembers where the WAL was at the last few looks."""

    name = NAME

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._was: deque[tuple[float, int]] = deque(maxlen=_REMEMBERED)

    def look(self, scene: Scene) -> Sequence[Verdict]:
        """See `Signal.look`."""
        self._was.append((scene.now, wal_position(scene.connection)))
        return [judge(tuple(self._was), self._limits)]


def judge(was: Sequence[tuple[float, int]], limits: Limits) -> Verdict:
    """The verdict on where the WAL was when, the oldest look first; on one alone it is calm."""
    (first, began), (last, ended) = was[0], was[-1]
    rate = (ended - began) / (last - first) if last > first else 0.0
    return judged(NAME, rate, limits, BYTES_PER_SECOND, what="written at")


KIND = kind_with_limits(
    NAME, "bytes of WAL written per second, over the last few seconds, by everybody", "off", BYTES_PER_SECOND, WalRate
)
