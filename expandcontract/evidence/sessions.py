"""Who is connected, and which release they say they belong to."""

from __future__ import annotations

from datetime import timedelta

from expandcontract.database.executor import Executor
from expandcontract.database.queries import queries
from expandcontract.domain.colour import Router
from expandcontract.domain.evidence import Session
from expandcontract.domain.mark import release_of


def sessions(executor: Executor, router: Router) -> tuple[Session, ...]:
    """
    The sessions of this database that say to which release they belong, the oldest first.

    A role without ``pg_read_all_stats`` doesn't see the address and the age of other roles' sessions, but their mark.
    """
    executor.rows(queries("activity")["forget_snapshot"])
    found = []
    for pid, name, role, address, seconds in executor.rows(queries("activity")["sessions"]):
        mark = release_of(name or "", router.releases)
        if mark is not None:
            age = timedelta(seconds=int(seconds)) if seconds is not None else None
            found.append(Session(pid, mark[1], mark[0], role or "unknown", address, age))
    return tuple(found)
