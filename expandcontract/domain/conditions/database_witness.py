"""Whether the database itself can tell who is connected."""

from __future__ import annotations

from expandcontract.domain.change import Change
from expandcontract.domain.facts import Facts
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal, names, refuse


def database_testifies(change: Change, facts: Facts) -> Refusal | None:
    """
    Where the database is to be a witness, every live release has a session that says so.

    That nobody is connected who lacks the change proves something only where those who are do say who they are.
    """
    if not facts.evidence.database_is_witness:
        return None
    marked = {session.release for session in facts.evidence.sessions}
    silent = [release.tag for release in facts.router.live_releases if release.tag not in marked]
    if not silent:
        return None
    return refuse(
        change,
        Phase.CONTRACT,
        Code.UNMARKED,
        because=f"no session says that it is of release {names(silent)}, which has traffic: so the database can't tell"
        " who is connected",
        next=f"mark the application's sessions with expandcontract.connect, then ec migrate contract {change.revision}",
    )
