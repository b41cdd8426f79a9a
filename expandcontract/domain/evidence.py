"""What was seen beside the ledger that a contract depends on, gathered by others just now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from expandcontract.domain.sighting import Sighting
from expandcontract.domain.watching import Watching


@dataclass(frozen=True)
class Session:
    """
    A session of the application that says which release it belongs to.

    Attributes:
        pid: of its backend.
        release: its release; None where the ledger knows none of that name.
        mark: what it says of itself.
        role: its database role.
        address: of its client; None for a local socket, or where the role may not see it.
        age: how long it has been connected, where the role may see it.
    """

    pid: int
    release: str | None
    mark: str
    role: str
    address: str | None
    age: timedelta | None


class Verdict(StrEnum):
    """What a question to somebody outside comes to."""

    CLEAR = "clear"  # nothing speaks against it
    SEEN = "seen"  # something does
    INCONCLUSIVE = "inconclusive"  # nobody knows, which refuses as well


@dataclass(frozen=True)
class Alert:
    """What one configured alert source said: its name, the verdict, its words."""

    name: str
    verdict: Verdict
    said: str


@dataclass(frozen=True)
class Evidence:
    """
    Attributes:
        sighting: what the witnesses say of the traffic; None where none is configured and the ledger alone counts.
        just_moved: the traffic had moved since the ledger last knew, which it now does.
        watching: how the traffic was watched; None as for `sighting`.
        sessions: those that say to which release they belong.
        database_is_witness: the sessions have to testify that the live releases are connected.
        alerts: what the configured alert sources say.
    """

    sighting: Sighting | None = None
    just_moved: bool = False
    watching: Watching | None = None
    sessions: tuple[Session, ...] = ()
    database_is_witness: bool = False
    alerts: tuple[Alert, ...] = ()
