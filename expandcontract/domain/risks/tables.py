"""Risks of the tables and their indexes."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.domain.risks.risk import Risk, listed, risky
from expandcontract.domain.risks.seen import Seen


def no_key(seen: Seen) -> Iterator[Risk]:
    """Tables without a primary key or a unique index without NULLs."""
    if seen.content and seen.content.keyless:
        yield risky(
            f"{listed(seen.content.keyless)}: no primary key and no unique index without NULLs. A backfill walks along"
            " the rows' places on disk, and looks again at what moved meanwhile; a row set aside has no name",
            "ec new add-primary-key TABLE, or a unique index on columns that are NOT NULL",
        )


def invalid_index(seen: Seen) -> Iterator[Risk]:
    """An INVALID index is left from a build that was cut short: it costs writes and helps no query."""
    for index in seen.content.invalid if seen.content else ():
        keeps = " It keeps duplicates out all the same." if index.enforces else ""
        yield risky(
            f"{index.name} on {index.table} is INVALID and nobody builds it: it costs each write and helps no query."
            f"{keeps} CREATE INDEX IF NOT EXISTS would take it for a good one",
            "run the step that builds it again, or, where no step does:"
            f" DROP INDEX CONCURRENTLY {index.name} (REINDEX INDEX CONCURRENTLY to keep it)",
        )


def wraparound_vacuum_due(seen: Seen) -> Iterator[Risk]:
    """Tables are due for a vacuum that prevents wraparound, which gives way to no lock."""
    if seen.server and seen.server.due:
        yield risky(
            f"{listed(seen.server.due)}: older than autovacuum_freeze_max_age, so autovacuum freezes them, and unlike"
            " others such a run gives way to nobody: a step waits until it has ended",
            "VACUUM (FREEZE) them when the application is quiet, before the step",
        )
