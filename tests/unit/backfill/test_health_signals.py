"""What each signal says about what it has read; reading itself is tried on servers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from expandcontract.backfill.health import (
    archive_backlog,
    autovacuum,
    dead_rows,
    latency,
    lock_waits,
    oldest_snapshot,
    replication_delay,
    replication_lag,
    slot_wal,
    standbys,
    transaction_age,
    wal_rate,
)
from expandcontract.backfill.health.hours import judge as judge_hours
from expandcontract.backfill.health.hours import parse_hours
from expandcontract.backfill.health.replication_lag import ReplicationLag
from expandcontract.database.health import Archiver, Standby, Vacuuming
from expandcontract.domain.throttle import Level, Limits

MB = 1024 * 1024
LIMITS = Limits(10, 20)


def standby(name: str = "r1", replayed: int | None = 0, late: float | None = None) -> Standby:
    return Standby(name, "streaming", replayed, late, True)


def test_each_standby_is_judged_by_itself() -> None:
    found = replication_lag.judge(
        100, [standby("r1", 100), standby("r2", 88), standby("r3", 70), standby("r4", None)], LIMITS
    )

    assert [(one.subject, one.level) for one in found] == [
        ("r1", Level.CALM),
        ("r2", Level.STRAINED),
        ("r3", Level.OVER),
    ]
    assert found[2].reason == "replication_lag: r3 is behind by 30 B (slow from 10 B, stop from 20 B)"


def test_the_ceiling_is_that_of_the_standby_furthest_behind() -> None:
    assert ReplicationLag(LIMITS).ceiling([standby("r1", 100), standby("r2", 70), standby("r3", None)]) == 90
    assert ReplicationLag(LIMITS).ceiling([]) is None
    assert ReplicationLag(Limits(slow=10)).ceiling([standby()]) is None


def test_a_standby_is_late_since_the_wal_was_last_where_it_is() -> None:
    was = [(0.0, 100), (1.0, 200), (2.0, 300), (3.0, 300)]

    found = replication_delay.judge(was, [standby(replayed=replayed) for replayed in (50, 150, 300)], 15.0, LIMITS)

    assert [one.level for one in found] == [Level.STRAINED, Level.STRAINED, Level.CALM]
    assert "late by 15s" in found[0].words
    assert "late by 14s" in found[1].words


def test_what_a_standby_says_itself_counts_where_it_is_more() -> None:
    (found,) = replication_delay.judge([(0.0, 100)], [standby(replayed=50, late=30.0)], 1.0, LIMITS)

    assert found.level is Level.OVER


@pytest.mark.parametrize(
    ("names", "seen", "connected", "levels"),
    [
        (("r1",), {}, set(), {"r1": Level.OVER}),
        (("r1",), {}, {"r1"}, {"r1": Level.CALM}),
        ((), {"r2": 90.0}, set(), {"r2": Level.OVER}),
        ((), {"r2": 90.0}, {"r2"}, {"r2": Level.CALM}),
        ((), {"r2": -250.0}, set(), {}),  # gone for longer than that was on purpose
        (("r1",), {"r1": -250.0}, set(), {"r1": Level.OVER}),  # but not if it is named
    ],
)
def test_standbys_that_ought_to_be_there(
    names: tuple[str, ...], seen: dict[str, float], connected: set[str], levels: dict[str, Level]
) -> None:
    assert {one.subject: one.level for one in standbys.judge(names, seen, connected, 100.0)} == levels


def test_each_slot_is_judged_by_itself() -> None:
    assert {one.subject: one.level for one in slot_wal.judge({"a": 5, "b": 25}, LIMITS)} == {
        "a": Level.CALM,
        "b": Level.OVER,
    }


def archive(last: str | None, current: str, *, is_on: bool = True, fails: bool = False) -> Archiver:
    return Archiver(is_on, last, current, 16 * MB, fails)


def file(number: int, timeline: int = 1) -> str:
    return f"{timeline:08X}{number // 256:08X}{number % 256:08X}"


@pytest.mark.parametrize(
    ("last", "current", "waiting"),
    [
        (file(4), file(5), 0),
        (file(4), file(7), 2),
        (file(255), file(258), 2),
        (file(4), file(7, timeline=2), 2),
        (file(4) + ".partial", file(7), 2),
        (None, file(3), 2),  # nothing was archived since the first look, at file 1
        ("00000002.history", file(3), 2),
        (file(9), file(5), 0),
    ],
)
def test_the_backlog_of_the_archive(last: str | None, current: str, waiting: int) -> None:
    (found,) = archive_backlog.judge(archive(last, current), file(1), Limits(slow=16 * MB, stop=48 * MB))

    assert found.level is (Level.STRAINED if waiting else Level.CALM)
    assert found.words.startswith("waiting: 0 B" if not waiting else f"waiting: {16 * waiting} MB")


def test_an_archive_that_fails_says_so_and_one_that_is_off_says_nothing() -> None:
    (found,) = archive_backlog.judge(archive(file(4), file(5), fails=True), file(1), Limits(stop=MB))

    assert "the last attempt failed" in found.words
    assert archive_backlog.judge(archive(None, file(5), is_on=False), file(1), Limits(stop=MB)) == []


def test_the_wal_rate_is_over_the_looks_remembered() -> None:
    assert wal_rate.judge([(0.0, 0), (1.0, 100), (4.0, 44)], LIMITS).level is Level.STRAINED
    assert wal_rate.judge([(0.0, 1000)], LIMITS).level is Level.CALM


def test_the_median_of_the_probes_counts() -> None:
    assert latency.judge([1, 100, 1, 1, 100], LIMITS).level is Level.CALM
    assert latency.judge([1, 12, 12], LIMITS).level is Level.STRAINED
    assert latency.judge([100, 1], LIMITS).level is Level.CALM


def test_sessions_that_wait() -> None:
    found = lock_waits.judge(12, 3.14, LIMITS)

    assert found.level is Level.STRAINED
    assert found.words == "12 (slow from 10, stop from 20) session(s) wait, the longest for 3.1 s"


@pytest.mark.parametrize(
    ("works", "wraparound", "any_level", "wraparound_level"),
    [
        (False, False, Level.CALM, Level.CALM),
        (True, False, Level.OVER, Level.CALM),
        (True, True, Level.OVER, Level.STRAINED),
    ],
)
def test_autovacuum(works: bool, wraparound: bool, any_level: Level, wraparound_level: Level) -> None:
    found = Vacuuming(works, wraparound, False)

    assert autovacuum.judge(found, autovacuum.Autovacuum(Level.OVER, False)).level is any_level
    assert autovacuum.judge(found, autovacuum.Autovacuum(Level.STRAINED, True)).level is wraparound_level


def test_dead_rows_are_a_share_of_the_live_ones_except_in_a_small_table() -> None:
    limits = Limits(0.2, 0.5)

    assert dead_rows.judge(300, 1000, limits).level is Level.STRAINED
    assert dead_rows.judge(9, 10, limits).level is Level.CALM
    assert dead_rows.judge(10_000, 0, limits).level is Level.OVER


def test_ages() -> None:
    assert "of database old, is older by 15" in transaction_age.judge("old", 15, LIMITS).words
    assert oldest_snapshot.judge(("pid 7 (psql)", 15.2), LIMITS).level is Level.STRAINED
    assert "pid 7 (psql) has had a snapshot for 15s" in oldest_snapshot.judge(("pid 7 (psql)", 15.2), LIMITS).words
    assert oldest_snapshot.judge(None, LIMITS).level is Level.CALM


@pytest.mark.parametrize(
    ("text", "now", "is_open"),
    [
        ("22:00-06:00", "2026-11-20 23:00", True),
        ("22:00-06:00", "2026-11-21 05:59", True),
        ("22:00-06:00", "2026-11-21 06:00", False),
        ("22:00-06:00 Europe/Berlin", "2026-11-20 21:30", True),  # 22:30 there
        ("22:00-06:00 Europe/Berlin", "2026-07-20 20:30", True),  # in summer as well
        ("mon-fri 22:00-06:00", "2026-11-21 05:00", True),  # Saturday, in Friday's window
        ("mon-fri 22:00-06:00", "2026-11-21 23:00", False),
        ("mon-fri 22:00-06:00, sat-sun 00:00-24:00", "2026-11-22 12:00", True),
        ("fri-mon 00:00-24:00", "2026-11-24 00:00", False),  # Tuesday
        ("sun 12:00-13:00", "2026-11-22 12:30", True),
        ("00:00-24:00", "2026-11-24 23:59", True),
    ],
)
def test_hours(text: str, now: str, is_open: bool) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)

    assert judge_hours(moment, parse_hours(text)).level is (Level.CALM if is_open else Level.OVER)


def test_out_of_hours_it_says_when_the_next_begin() -> None:
    noon_on_saturday = datetime(2026, 11, 21, 12, tzinfo=UTC)

    words = judge_hours(noon_on_saturday, parse_hours("mon-fri 22:00-06:00 Europe/Berlin")).words

    assert words == "it runs only mon-fri 22:00-06:00 Europe/Berlin; next from Mon 22:00 CET"


@pytest.mark.parametrize(
    "text", ["", "22:00", "25:00-06:00", "22:00-06:00 Mars/Base", "days 22:00-06:00", "22:00-06:00,"]
)
def test_hours_that_mean_nothing(text: str) -> None:
    with pytest.raises(ValueError, match="hours"):
        parse_hours(text)
