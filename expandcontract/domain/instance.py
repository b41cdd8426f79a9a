"""
The servers of one system, and which of them is to be written.

A promoted standby begins a new timeline. An old primary that comes back is on the one before it, with a ledger of its
own that is right about all it knows: by itself it can't tell that it is the old one. The others can.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Instance:
    """
    One server of a system, which was asked who it is.

    Attributes:
        name: its host and port, or how the configuration calls it.
        system: the ``system_identifier``, which a primary and its standbys share; None where the role may not see it.
        timeline: of the WAL that it writes, or has replayed; a standby's may be a newer one. None as above.
        is_standby: it is in recovery.
        started_at: when its postmaster began, by which a server is told from another of its system.
    """

    name: str
    system: str | None
    timeline: int | None
    is_standby: bool
    started_at: datetime

    def is_related_to(self, other: Instance) -> bool:
        """Whether both are known to be of one system, and not the same server under two names."""
        return self.system is not None and self.system == other.system and self.started_at != other.started_at


@dataclass(frozen=True)
class Rival:
    """Why a server can't be taken for the one primary of its system, and what to do about it."""

    because: str
    next: str


def rival(here: Instance, others: Iterable[Instance]) -> Rival | None:
    """What the `others` that answered say against the primary `here`; None where nothing does."""
    for other in others:
        if not other.is_related_to(here):
            continue
        if not other.is_standby:
            return _two_primaries(here, other)
        if (other.timeline or 0) > (here.timeline or other.timeline or 0):
            return Rival(
                f"{other.name} follows timeline {other.timeline}, and the primary at {here.name} is on timeline"
                f" {here.timeline}: another server has been promoted since, and this is the old primary",
                f"stop {here.name}, or make it a standby of the new primary, and point the database URL at that one",
            )
    return None


def _two_primaries(here: Instance, other: Instance) -> Rival:
    both = f"{_named(here)} and {_named(other)} are both primaries of system {here.system}, and may both be written"
    if here.timeline is None or other.timeline is None or here.timeline == other.timeline:
        return Rival(
            both, "find out which one the application writes to, stop the other, and run the same command again"
        )
    old, new = sorted((here, other), key=lambda one: one.timeline or 0)
    return Rival(
        f"{both}; {new.name} was promoted after the timelines parted, so {old.name} is the old one",
        f"stop {old.name}, or make it a standby of {new.name}, and run the same command again",
    )


def _named(server: Instance) -> str:
    return f"{server.name} (timeline {server.timeline or 'unknown'})"
