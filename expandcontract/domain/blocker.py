"""Who is in the way, and who of them may be ended for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Blocker:
    """
    A session, or a prepared transaction (then ``gid`` is set and ``pid`` is 0), that holds what we wait for.

    With ``place`` it is on another server: it reads on that standby what a step is about to lock.
    """

    pid: int
    age: float | None  # seconds since its transaction began
    role: str | None
    application_name: str | None
    state: str | None
    query: str | None
    gid: str | None
    kind: str | None = None  # PostgreSQL's backend_type
    began: datetime | None = None  # its transaction, by which it is told from the session's next one
    place: str | None = None

    def __str__(self) -> str:
        age = f"{self.age:.1f} s" if self.age is not None else "unknown"
        if self.gid is not None:
            return f"prepared transaction {self.gid!r} (owner {self.role}, age {age}); see pg_prepared_xacts"
        query = " ".join((self.query or "").split())
        where = f" on {self.place}" if self.place else ""
        return (
            f"pid {self.pid}{where} (role {self.role}, application {self.application_name or 'without a name'},"
            f" {self.state}, transaction age {age}): {query}"
        )

    @property
    def is_hidden(self) -> bool:
        """Whether the role may not see what it is and how old."""
        return self.kind is None and self.gid is None


def may_be_cancelled(blockers: Iterable[Blocker], older_than: timedelta) -> tuple[Blocker, ...]:
    """
    Those whose transaction is older than that and may be ended for a step.

    Never on another server; never `ec` itself, which has reasons; never a prepared transaction, which somebody has
    promised to commit; and nothing of the server's own: autovacuum gives way by itself, unless it prevents wraparound,
    and then it must not.
    """
    return tuple(
        one
        for one in blockers
        if one.kind == "client backend"
        and one.place is None
        and one.gid is None
        and not (one.application_name or "").startswith("ec:")
        and one.age is not None
        and one.age > older_than.total_seconds()
    )
