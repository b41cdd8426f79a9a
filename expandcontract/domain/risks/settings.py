"""Risks of how a role, a database or the server is set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from expandcontract.domain.duration import format_duration
from expandcontract.domain.ladder import longest_wait
from expandcontract.domain.risks.risk import Risk, fails, risky
from expandcontract.domain.risks.seen import Login, Seen, Setting

# What `ec` doesn't replace in its sessions and in env.py's, and what it does to a step.
_BITES = {
    "statement_timeout": "a statement of a step that takes longer is cancelled, VALIDATE CONSTRAINT for example",
    "transaction_timeout": "a step that takes longer loses its connection, VALIDATE CONSTRAINT for example",
    "session_replication_role": "triggers don't fire in such a session, those of a Sync included",
    "row_security": "a query that policies would narrow fails",
}
_WRONG = {"session_replication_role", "row_security"}


def setting_bites(seen: Seen) -> Iterator[Risk]:
    """A time-out or another setting of the role or the database, which `ec` doesn't replace, changes how steps run."""
    for login in seen.logins:
        for setting in login.settings:
            if setting.name in _BITES:
                yield (fails if setting.name in _WRONG else risky)(
                    f"{setting.name} is {setting.value} for role {login.role} ({login.way}; {_origin(setting)}):"
                    f" {_BITES[setting.name]}",
                    _reset(login, setting),
                )


def _origin(setting: Setting) -> str:
    return {
        "user": "set for the role",
        "database": "set for the database",
        "database user": "set for the role in this database",
        "client": "set by the connection",
    }.get(setting.source, f"set by {setting.source}")


def _reset(login: Login, setting: Setting) -> str:
    match setting.source:
        case "user":
            return f"ALTER ROLE {login.role} RESET {setting.name}"
        case "database":
            return f"ALTER DATABASE {login.database} RESET {setting.name}"
        case "database user":
            return f"ALTER ROLE {login.role} IN DATABASE {login.database} RESET {setting.name}"
        case "client":
            return f"leave {setting.name} out of the connection's options"
    return f"ALTER SYSTEM RESET {setting.name}, or ALTER ROLE {login.role} SET {setting.name} to what a step needs"


def autovacuum_does_not_give_way(seen: Seen) -> Iterator[Risk]:
    """Every attempt for a lock ends before autovacuum gives way, which it does after deadlock_timeout."""
    wait = longest_wait(seen.limits.lock_timeout)
    if seen.server and wait <= seen.server.deadlock_timeout + timedelta(milliseconds=50):
        yield risky(
            f"the longest wait for a lock is {format_duration(wait)}, and autovacuum gives way only after"
            f" deadlock_timeout, {format_duration(seen.server.deadlock_timeout)}: a step waits until it has ended",
            "raise lock_timeout (how long the application may wait) or lower deadlock_timeout",
        )
