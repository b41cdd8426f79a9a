"""A tombstone: what a contract will drop is taken from the application first, in a way that can be undone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from expandcontract.domain.removal import Removed


@dataclass(frozen=True)
class Tombstone:
    """
    Attributes:
        revision: whose contract drops it.
        since: when it was taken.
        taken: the tables and columns, with their schemas.
        reaches: the roles of the application that reach it all the same, where somebody has looked.
    """

    revision: str
    since: datetime
    taken: tuple[Removed, ...]
    reaches: tuple[str, ...] = ()

    def lacks(self, drops: tuple[Removed, ...]) -> tuple[Removed, ...]:
        """Those of the drops that it doesn't cover."""
        return tuple(one for one in drops if not any(self._covers(taken, one) for taken in self.taken))

    @staticmethod
    def _covers(taken: Removed, one: Removed) -> bool:
        return one.is_in(taken.schema or "", taken.table) and taken.column in (None, one.column)
