"""
What ``pg_stat_statements`` can say about a stretch of time, and when it can say nothing.

It counts calls and forgets: the statement that ran once a month is the first to be evicted. So its counters are
sampled again and again, and a series of samples is whole only while each continues the one before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from expandcontract.domain.duration import format_duration
from expandcontract.domain.moment import at

PRIMARY = "primary"  # the node that migrations run on; replicas have the names that the configuration gives them


@dataclass(frozen=True)
class Counted:
    """Which statement of whom: its entry on one node."""

    role: str
    query_id: int
    toplevel: bool


@dataclass(frozen=True)
class Statement:
    """An entry: its text, how often it was called in all, and when a sample last found that it had been called."""

    counted: Counted
    query: str
    calls: int
    grew_at: datetime | None = None


@dataclass(frozen=True)
class Sample:
    """
    One look at a node's entries.

    Attributes:
        node: its name.
        at: when, on the clock of the database with the ledger.
        trouble: why it says nothing; then there are no entries.
        reset_at: when all entries were last forgotten.
        evicted: how many times room was made.
        entries: all of this database.
    """

    node: str
    at: datetime
    trouble: str | None = None
    reset_at: datetime | None = None
    evicted: int = 0
    entries: Mapping[Counted, Statement] = field(default_factory=dict)


@dataclass(frozen=True)
class Series:
    """
    Samples of a node that continue each other.

    Attributes:
        node: its name.
        began_at: when the first was taken.
        ended_at: when the last was taken.
        because: why it began anew.
        reset_at: as in the last sample.
        evicted: as in the last sample.
        entries: those of the last sample.
    """

    node: str
    began_at: datetime
    ended_at: datetime
    because: str | None = None
    reset_at: datetime | None = None
    evicted: int = 0
    entries: Mapping[Counted, Statement] = field(default_factory=dict)


def broken_by(series: Series, sample: Sample, gap: timedelta) -> str | None:
    """Why a sample doesn't continue the series: calls may have come and gone unseen. None where it does."""
    if sample.trouble is not None:
        return sample.trouble
    pause = sample.at - series.ended_at
    if pause > gap:
        return f"nobody took a sample for {format_duration(_seconds(pause))} before {at(sample.at)}"
    if pause < timedelta(0):
        return f"the database's clock went back before {at(sample.at)}"
    if sample.reset_at != series.reset_at:
        return f"pg_stat_statements was reset, or the server crashed, before {at(sample.at)}"
    if sample.evicted != series.evicted:
        return (
            f"pg_stat_statements evicted entries before {at(sample.at)} (dealloc went from {series.evicted} to"
            f" {sample.evicted}): raise pg_stat_statements.max"
        )
    for counted, before in series.entries.items():
        now = sample.entries.get(counted)
        if now is None or now.calls < before.calls:
            what = "vanished" if now is None else "was counted anew"
            return f"an entry of role {counted.role} {what} before {at(sample.at)}: somebody reset it"
    return None


def grown(series: Series | None, sample: Sample) -> dict[Counted, Statement]:
    """The entries of the sample that weren't in the series, or were called since."""
    before = series.entries if series else {}
    return {
        counted: one
        for counted, one in sample.entries.items()
        if counted not in before or one.calls != before[counted].calls
    }


def uncovered(series: Series | None, sample: Sample, begin: datetime, gap: timedelta) -> str | None:
    """Why series and sample together don't tell of every call since `begin`; None where they do."""
    if sample.trouble is not None:
        return sample.trouble
    if series is None:
        return "no sample was ever taken; ec observe takes them"
    broken = broken_by(series, sample, gap)
    if broken is not None:
        return broken
    if series.began_at > begin:
        why = f" ({series.because})" if series.because else ""
        return f"its samples are whole only since {at(series.began_at)}{why}, and the window begins at {at(begin)}"
    return None


def called_since(series: Series | None, sample: Sample, begin: datetime) -> list[Statement]:
    """The statements that were called since `begin`, or may have been, those called last first."""
    if series is None:
        return []
    found = {counted: one for counted, one in series.entries.items() if one.grew_at and one.grew_at > begin}
    found |= {counted: replace(one, grew_at=sample.at) for counted, one in grown(series, sample).items()}
    return sorted(found.values(), key=lambda one: one.grew_at or begin, reverse=True)


def _seconds(length: timedelta) -> timedelta:
    return timedelta(seconds=round(length.total_seconds()))
