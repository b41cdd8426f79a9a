"""How much WAL a replication slot keeps: what fills the disk while a subscriber or a standby is away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from expandcontract.backfill.health.signal import Scene, judged, kind_with_limits
from expandcontract.database.health import slots
from expandcontract.domain.quantity import BYTES
from expandcontract.domain.throttle import Limits, Verdict

NAME = "slot_wal"


@dataclass(frozen=True)
class SlotWal:
    """Looks at each replication slot, active or not."""

    limits: Limits
    name: str = NAME

    def look(self, scene: Scene) -> Sequence[Verdict]:
        """See `Signal.look`."""
        return judge(slots(scene.connection), self.limits)


def judge(kept: Mapping[str, int], limits: Limits) -> list[Verdict]:
    """A verdict on each slot and the bytes that it keeps."""
    return [judged(NAME, size, limits, BYTES, subject=slot, what=f"slot {slot} keeps") for slot, size in kept.items()]


KIND = kind_with_limits(NAME, "bytes of WAL that a replication slot keeps", "slow 4GB, stop 16GB", BYTES, SlotWal)
