"""A standby that can't keep up: the backfill waits for it, says so, and goes on when it has caught up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from expandcontract.backfill.ending import Outcome
from expandcontract.backfill.health.replication_delay import ReplicationDelay
from expandcontract.backfill.health.replication_lag import ReplicationLag
from expandcontract.backfill.health.standbys import Standbys
from expandcontract.backfill.progress import Progress
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.health_ledger import HealthLedger, Throttled, ThrottleKind
from expandcontract.domain.change import Backfill
from expandcontract.domain.throttle import Limits
from tests.fixtures.filling import Filling, make_filling
from tests.fixtures.project import until
from tests.fixtures.standby import Pair

FILLS = Backfill("things", set={"filled": "upper(name)"}, where="filled IS NULL", writers="0001")
ROWS = 60_000
MB = 1024 * 1024


@pytest.fixture
def things(pair: Pair) -> Filling:
    """A table to fill on the primary, already replayed by its standby."""
    filling = make_filling(pair.primary.dsn())
    filling.execute(
        "CREATE TABLE things (id int PRIMARY KEY, name text, filled text)",
        f"INSERT INTO things SELECT i, repeat('x', 100) FROM generate_series(1, {ROWS}) i",
        "VACUUM ANALYZE things",
        "CHECKPOINT",
    )
    until(lambda: pair.behind() == 0, what="the standby has replayed it all")
    return filling


def throttles(filling: Filling) -> list[Throttled]:
    with filling.open("test") as connection:
        return HealthLedger(PsycopgExecutor(connection), "0002").throttles()


def is_stopped(filling: Filling) -> bool:
    health = filling.position().health
    return health is not None and health.is_stopped


def largest_batch(filling: Filling) -> int:
    """The most WAL that one range can have written: its rows' share of all, with whole pages and then some."""
    return int(filling.value("SELECT max(rows_seen) FROM ec.backfill_range")) * 1000 + 512 * 1024


@contextmanager
def furthest_behind(pair: Pair) -> Iterator[list[int]]:
    """By how much the standby is behind at most, looked at all the time while the block lasts."""
    furthest, done = [0], threading.Event()

    def measure() -> None:
        while not done.wait(0.02):
            furthest[0] = max(furthest[0], pair.behind())

    measuring = threading.Thread(target=measure)
    measuring.start()
    try:
        yield furthest
    finally:
        done.set()
        measuring.join()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_standby_is_never_further_behind_than_the_limit_and_one_batch(
    things: Filling, pair: Pair, workers: int
) -> None:
    limit = 4 * MB
    engine = things.engine(FILLS, rate=20_000, watched=True, workers=workers)
    pair.standby.pause_replay()
    with (
        things.watching(FILLS, ReplicationLag(Limits(stop=limit))),
        furthest_behind(pair) as furthest,
        things.in_thread(engine) as ended,
    ):
        try:
            until(lambda: is_stopped(things), what="the backfill waits for its standby")
            assert 0 < things.position().rows_seen < ROWS
            health = things.position().health
            assert health is not None
            assert "replication_lag: replica-1 is behind by" in (health.reason or "")
            until(lambda: says_why(things.reports[-1]), what="the pause is shown with its reason")
        finally:
            pair.standby.resume_replay()

    assert [end.outcome for end in ended] == [Outcome.COMPLETE]
    assert limit < furthest[0] <= limit + workers * largest_batch(things)
    pauses = [one for one in throttles(things) if one.kind is ThrottleKind.STOP]
    assert {one.about for one in pauses} == {"replication_lag replica-1"}
    assert all(one.ended_at is not None and one.ended_at > one.began_at for one in pauses)


def says_why(report: Progress) -> bool:
    return report.is_waiting and "replica-1 is behind by" in (report.reason or "")


@pytest.mark.long
def test_a_standby_that_replays_late_stops_the_backfill_whatever_it_says_itself(things: Filling, pair: Pair) -> None:
    engine = things.engine(FILLS, rate=5000, watched=True)
    with things.watching(FILLS, ReplicationDelay(Limits(stop=2.0))):
        pair.standby.pause_replay()
        with things.in_thread(engine) as ended:
            try:
                until(lambda: is_stopped(things), what="the backfill waits for its standby")
                health = things.position().health
                assert health is not None
                assert "replication_delay: replica-1 is late by" in (health.reason or "")
            finally:
                pair.standby.resume_replay()
                things.execute("UPDATE ec.backfill SET rate = NULL")

    assert [end.outcome for end in ended] == [Outcome.COMPLETE]


@pytest.mark.long
@pytest.mark.parametrize(
    ("named", "words"), [((), "was connected until"), (("replica-1",), "isn't connected")], ids=["seen", "named"]
)
def test_a_standby_that_goes_away_stops_the_backfill_until_it_is_back(
    things: Filling, pair: Pair, named: tuple[str, ...], words: str
) -> None:
    engine = things.engine(FILLS, rate=5000, watched=True)
    with things.watching(FILLS, Standbys(named)), things.in_thread(engine) as ended:
        until(lambda: things.position().rows_seen, what="the backfill moves")
        pair.standby.stop()
        until(lambda: is_stopped(things), what="the backfill waits for its standby")
        health = things.position().health
        assert health is not None
        assert f"standbys: replica-1 {words}" in (health.reason or "")
        until(lambda: words in (things.reports[-1].reason or ""), what="the pause is shown with its reason")
        pair.standby.start()
        things.execute("UPDATE ec.backfill SET rate = NULL")

    assert [end.outcome for end in ended] == [Outcome.COMPLETE]
