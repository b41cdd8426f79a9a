"""Risks of the server and its standbys."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.domain.risks.risk import Risk, fails, risky
from expandcontract.domain.risks.seen import Seen
from expandcontract.domain.throttle import Level

# The signals of a backfill that are about the server, in the words of the configuration.
SIGNALS = ("replication_lag", "replication_delay", "standbys", "slot_wal", "archive_backlog", "transaction_age")


def wraparound_near(seen: Seen) -> Iterator[Risk]:
    """Transaction ids come to their end; at two billion the server refuses to write."""
    for words in _unwell(seen, "transaction_age"):
        yield risky(
            f"{words}; at about 2,100,000,000 the server refuses to write",
            "VACUUM (FREEZE) in that database, and look for what holds it back: old transactions, slots, prepared ones",
        )


def standby_late(seen: Seen) -> Iterator[Risk]:
    """A standby is late: its readers meet the old schema longer, and a failover loses what it hasn't."""
    for words in _unwell(seen, "replication_lag", "replication_delay"):
        yield risky(
            f"{words}: its readers meet the old schema for so long, and a failover loses what it hasn't",
            "wait until it has caught up; look for long queries and paused replay there",
        )


def standby_missing(seen: Seen) -> Iterator[Risk]:
    """A standby that is expected isn't connected: it is named in the configuration, or nobody uses its slot."""
    for words in _unwell(seen, "standbys"):
        yield risky(words, "bring it back, or take it out of health.standbys")
    for slot, kept in seen.server.idle_slots if seen.server else ():
        yield risky(
            f"nobody uses replication slot {slot}, which keeps {kept / 1_000_000:,.0f} MB of WAL: its standby is gone,"
            " and a backfill writes more",
            f"bring the standby back, or SELECT pg_drop_replication_slot('{slot}')",
        )


def wal_piles_up(seen: Seen) -> Iterator[Risk]:
    """WAL is kept for a slot, or waits for the archive; a backfill writes more, until the disk is full."""
    for words in _unwell(seen, "slot_wal", "archive_backlog"):
        yield risky(f"{words}; a backfill writes more", "look at that subscriber, or at archive_command in the log")


def _unwell(seen: Seen, *signals: str) -> Iterator[str]:
    for verdict in seen.server.health if seen.server else ():
        if verdict.signal in signals and verdict.level in (Level.STRAINED, Level.OVER):
            yield verdict.words


def commits_wait_for_nobody(seen: Seen) -> Iterator[Risk]:
    """Commits wait for a synchronous standby, and none is connected."""
    if seen.server and seen.server.waits_for:
        yield fails(
            f"synchronous_standby_names is {seen.server.waits_for!r}, and no such standby is connected: every commit"
            " waits until one is",
            "bring the standby back, or ALTER SYSTEM SET synchronous_standby_names and reload",
        )


def no_statement_statistics(seen: Seen) -> Iterator[Risk]:
    """pg_stat_statements isn't there, so nothing tells whether an old column is still read."""
    if seen.server and not seen.server.has_statement_statistics:
        yield risky(
            "pg_stat_statements isn't loaded, or not made in this database: nobody can tell whether a statement still"
            " reads what a contract removes",
            "add it to shared_preload_libraries, restart, then CREATE EXTENSION pg_stat_statements",
        )


def autovacuum_is_off(seen: Seen) -> Iterator[Risk]:
    """Autovacuum is off: what a backfill leaves behind stays."""
    if seen.server and not seen.server.autovacuum:
        yield risky("autovacuum is off: the dead rows of a backfill stay, and tables bloat", "turn autovacuum on")
