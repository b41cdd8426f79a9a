"""Who is connected, and which release they say they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from expandcontract.database.executor import Executor
from expandcontract.database.queries import queries
from expandcontract.domain.colour import Router
from expandcontract.domain.evidence import Session
from expandcontract.domain.mark import release_of


def sessions(executor: Executor, router: Router, roles: Mapping[str, str]) -> tuple[Session, ...]:
    """
    The sessions of this database that say to which release they belong, by a mark or else by their role.

    A role without ``pg_read_all_stats`` doesn't see the address and the age of other roles' sessions, but their mark.

    Args:
        executor: on the primary.
        router: which release each colour runs.
        roles: the roles that one colour alone connects as, with their colours.

    Returns:
        The oldest first.
    """
    executor.rows(queries("activity")["forget_snapshot"])
    found = []
    for pid, name, role, address, seconds in executor.rows(queries("activity")["sessions"]):
        said = release_of(name or "", router.releases) or _by_role(role, router, roles)
        if said is not None:
            age = timedelta(seconds=int(seconds)) if seconds is not None else None
            found.append(Session(pid, said[1], said[0], role or "unknown", address, age))
    return tuple(found)


def _by_role(role: str | None, router: Router, roles: Mapping[str, str]) -> tuple[str, str | None] | None:
    """What the role tells, as a mark would: a colour, and so the release that it runs now."""
    if role is None or role not in roles:
        return None
    colour = router.colours.get(roles[role])
    return f"colour={roles[role]}", colour.release if colour else None
