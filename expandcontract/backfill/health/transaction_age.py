"""How near the server is to the wraparound of its transaction ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from expandcontract.backfill.health.signal import Scene, judged, kind_with_limits
from expandcontract.database.health import transaction_age
from expandcontract.domain.quantity import NUMBER
from expandcontract.domain.throttle import Limits, Verdict

NAME = "transaction_age"


@dataclass(frozen=True)
class TransactionAge:
    """Looks at all databases: wraparound concerns the whole server."""

    limits: Limits
    name: str = NAME

    def look(self, scene: Scene) -> Sequence[Verdict]:
        """See `Signal.look`."""
        return [judge(*transaction_age(scene.connection), self.limits)]


def judge(database: str, age: int, limits: Limits) -> Verdict:
    """The verdict on the database whose transaction ids are the oldest."""
    return judged(NAME, age, limits, NUMBER, what=f"the oldest transaction id, of database {database}, is older by")


# vacuum_failsafe_age is 1.6 billion, and at two billion the server refuses to write
KIND = kind_with_limits(
    NAME,
    "transactions since the oldest unfrozen one of any database",
    "slow 1000000000, stop 1500000000",
    NUMBER,
    TransactionAge,
)
