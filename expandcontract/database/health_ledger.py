"""The ledger's part for health: who looks at the signals of a backfill, what that came to, and what it was before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from expandcontract.database.executor import Executor
from expandcontract.database.queries import queries
from expandcontract.domain.throttle import Throttle


class ThrottleKind(StrEnum):
    """What a health signal did to a backfill."""

    SLOW = "slow"  # it had less than its whole speed
    STOP = "stop"  # no range began


@dataclass(frozen=True)
class Throttled:
    """A time in which a signal slowed a backfill down or stopped it; ``ended_at`` None: it lasts."""

    about: str
    kind: ThrottleKind
    reason: str
    began_at: datetime
    ended_at: datetime | None


class HealthLedger:
    """
    Reads and writes what is known of one backfill's health.

    Args:
        executor: where to run the statements.
        revision: the change, as the ledger's key.
    """

    def __init__(self, executor: Executor, revision: str) -> None:
        self._executor = executor
        self._revision = revision

    def _rows(self, query: str, /, **parameters: object) -> list[tuple[Any, ...]]:
        return self._executor.rows(queries("health_ledger")[query], {"revision": self._revision, **parameters})

    def take_watch(self, watcher: str, *, lease: float) -> Throttle | None:
        """Be the one who looks, for `lease` seconds, and have the throttle as it was left; None: somebody else is."""
        rows = self._rows("take_watch", watcher=watcher, lease=lease)
        return Throttle(rows[0][0], frozenset(rows[0][1])) if rows else None

    def put(self, watcher: str, throttle: Throttle, *, reason: str | None, wal_ceiling: int | None) -> bool:
        """Record what a look came to; False where somebody else has taken over."""
        stopped_by = sorted(throttle.stopped_by)
        facts = {"share": throttle.share, "stopped_by": stopped_by, "reason": reason, "wal_ceiling": wal_ceiling}
        return bool(self._rows("put_health", watcher=watcher, **facts))

    def leave_watch(self, watcher: str) -> bool:
        """Look no more; False where somebody else does already."""
        return bool(self._rows("leave_watch", watcher=watcher))

    def lasting(self) -> set[tuple[str, ThrottleKind]]:
        """What slows the backfill down or stops it, as far as it is recorded."""
        return {(about, ThrottleKind(kind)) for about, kind in self._rows("lasting")}

    def begin_throttle(self, about: str, kind: ThrottleKind, reason: str) -> None:
        """Record that a signal slows the backfill down or stops it from now on."""
        self._rows("begin_throttle", about=about, kind=str(kind), reason=reason)

    def end_throttle(self, about: str | None = None, kind: ThrottleKind = ThrottleKind.SLOW) -> None:
        """Record that a signal doesn't any more; without a name, that none does."""
        self._rows("end_throttle", about=about, kind=str(kind))

    def throttles(self) -> list[Throttled]:
        """When which signal slowed the backfill down or stopped it, the earliest first."""
        return [Throttled(about, ThrottleKind(kind), *rest) for about, kind, *rest in self._rows("throttles")]
