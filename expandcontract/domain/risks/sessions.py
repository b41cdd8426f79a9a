"""Risks of what others do just now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from expandcontract.domain.duration import format_duration
from expandcontract.domain.risks.risk import Risk, fails, risky
from expandcontract.domain.risks.seen import OpenTransaction, Seen

# A runner that works asks something every few seconds: who blocks it, while it waits; a pause is five at most.
_RUNNER_IS_STALE = timedelta(minutes=1)


def long_transaction(seen: Seen) -> Iterator[Risk]:
    """A transaction has been open for longer than the lock budget: a step that meets its locks ends with 6."""
    for one in _older_than_the_budget(seen):
        if one.gid is None:
            yield risky(
                f"{one.who} has had a transaction open for {_length(one.age)}: a step that needs a table it has used"
                " gets no lock, and CREATE INDEX CONCURRENTLY waits for it",
                f"end it where it comes from, or SELECT pg_terminate_backend({one.pid})",
            )


def prepared_transaction(seen: Seen) -> Iterator[Risk]:
    """A prepared transaction was left: it keeps its locks for ever, even over a restart."""
    for one in _older_than_the_budget(seen):
        if one.gid is not None:
            literal = "'" + one.gid.replace("'", "''") + "'"
            yield risky(
                f"prepared transaction {literal} of role {one.who} is {_length(one.age)} old, and keeps its locks"
                " whoever disconnects and restarts",
                f"ask its transaction manager, then COMMIT PREPARED {literal} or ROLLBACK PREPARED {literal}",
            )


def _older_than_the_budget(seen: Seen) -> Iterator[OpenTransaction]:
    for one in seen.content.transactions if seen.content else ():
        if one.age > seen.limits.lock_budget:
            yield one


def runner_is_stale(seen: Seen) -> Iterator[Risk]:
    """The runner's lock is held by a session that has done nothing for a minute."""
    holder = seen.content.holder if seen.content else None
    if holder and holder.idle is not None and holder.idle >= _RUNNER_IS_STALE:
        yield fails(
            f"backend {holder.pid} ({holder.application_name}, from {holder.client or 'a local socket'}) has the"
            f" runner's lock and has done nothing for {_length(holder.idle)}: every step ends with 6",
            f"look at that process; where it is gone or frozen, SELECT pg_terminate_backend({holder.pid})",
        )


def runner_at_work(seen: Seen) -> Iterator[Risk]:
    """Another runner is at work."""
    holder = seen.content.holder if seen.content else None
    if holder and (holder.idle is None or holder.idle < _RUNNER_IS_STALE):
        yield risky(
            f"backend {holder.pid} ({holder.application_name}) runs steps just now; a second runner ends with 6",
            "wait for it to end; ec status shows how far it is",
        )


def _length(length: timedelta) -> str:
    return format_duration(timedelta(seconds=round(length.total_seconds())))
