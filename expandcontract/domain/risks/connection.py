"""Risks of the way to the server."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.domain.risks.risk import Risk, fails
from expandcontract.domain.risks.seen import Seen

OLDEST = 140000  # server_version_num of the oldest PostgreSQL that `ec` works on


def standby(seen: Seen) -> Iterator[Risk]:
    """The address leads to a standby."""
    for login in seen.logins:
        if login.is_standby:
            yield fails(f"{login.way} leads to a server in recovery, so nothing can be written", _PRIMARY)


_PRIMARY = "point the database URL at the primary"


def read_only(seen: Seen) -> Iterator[Risk]:
    """Transactions begin read-only."""
    for login in seen.logins:
        if login.is_read_only and not login.is_standby:
            yield fails(
                f"default_transaction_read_only is on for role {login.role} ({login.way})",
                f"ALTER ROLE {login.role} RESET default_transaction_read_only (or ALTER DATABASE), or another role",
            )


def pooler(seen: Seen) -> Iterator[Risk]:
    """A connection pooler is in the path: locks and settings belong to a session, and there is none."""
    for login in seen.logins:
        if login.is_pooled:
            yield fails(
                f"{login.way} leads through a pooler: the session that answers isn't the one that was opened",
                "set EC_DATABASE_URL to a direct address of the primary, and let env.py use it",
            )


def old_server(seen: Seen) -> Iterator[Risk]:
    """The server is older than PostgreSQL 14."""
    for login in seen.logins:
        if login.version < OLDEST:
            yield fails(f"the server is PostgreSQL {login.version // 10000}; ec supports 14 and later", "upgrade it")


def split_brain(seen: Seen) -> Iterator[Risk]:
    """Another server of the same system is a primary as well, or this one is an old primary that came back."""
    if seen.rival is not None:
        yield fails(seen.rival.because, seen.rival.next)


def any_of_several_hosts(seen: Seen) -> Iterator[Risk]:
    """The address names several hosts and takes whichever answers, so it is refused."""
    for login in seen.logins:
        if login.hosts:
            yield fails(
                f"{login.way} names {', '.join(login.hosts)} and takes the first that answers: after a failover that"
                " may be a standby, or the old primary",
                "add target_session_attrs=read-write to the address",
            )
