"""Health signals on real servers: what they read, what becomes of the backfill, and who looks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import pytest

from expandcontract.backfill.ending import Bounds, Outcome
from expandcontract.backfill.health.catalogue import KINDS
from expandcontract.backfill.health.lock_waits import LockWaits
from expandcontract.backfill.health.outside import InBackground, Objection
from expandcontract.backfill.health.query import Query
from expandcontract.backfill.health.signal import Scene, Signal, Unreadable
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.health_ledger import HealthLedger, Throttled, ThrottleKind
from expandcontract.domain.change import Backfill
from expandcontract.domain.throttle import Level, Limits, Verdict
from tests.fixtures.filling import Filling, make_filling
from tests.fixtures.project import until
from tests.fixtures.servers import Database

FILLS = Backfill("things", set={"filled": "1"}, where="filled IS NULL", writers="0001")
ROWS = 20_000


def make_things(filling: Filling) -> Filling:
    filling.execute(
        "CREATE TABLE things (id int PRIMARY KEY, filled int)",
        f"INSERT INTO things (id) SELECT generate_series(1, {ROWS})",
        "CREATE TABLE load (n int)",
        "INSERT INTO load VALUES (0)",
    )
    return filling


@pytest.fixture
def things(filling: Filling) -> Filling:
    return make_things(filling)


LOAD = Query("queries.load", "SELECT n FROM load", Limits(10, 20))


def put_load(filling: Filling, load: int) -> None:
    filling.execute(f"UPDATE load SET n = {load}")


def begin(filling: Filling) -> None:
    """A backfill that has begun, and that nobody works on."""
    assert filling.run(FILLS, bounds=Bounds(rows=100)).outcome is Outcome.BOUND_REACHED


def throttles(filling: Filling) -> list[Throttled]:
    with filling.open("test") as connection:
        return HealthLedger(PsycopgExecutor(connection), "0002").throttles()


def health_is(filling: Filling, *, stopped: bool, share: float = 1.0) -> bool:
    health = filling.position().health
    return health is not None and health.is_stopped is stopped and health.share <= share


def root_of(connection: psycopg.Connection, table: str = "things") -> int:
    return connection.execute("SELECT %s::regclass::oid::int8", [table]).fetchone()[0]


def look(filling: Filling, signal: Signal, table: str = "things") -> Sequence[Verdict]:
    with filling.open("looks") as connection:
        return signal.look(Scene(connection, root_of(connection, table)))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_signal_can_be_read_by_the_owner_of_the_database(kind, each_database: Database) -> None:
    filling = make_things(make_filling(each_database.dsn))
    filling.execute("CREATE TABLE parts (id int) PARTITION BY LIST (id)")
    signal = kind.make(kind.example if kind.default == "off" else kind.default)

    if kind.name in ("oldest_snapshot", "active_sessions"):  # sessions of others are hidden from an ordinary role
        with somebody_else(each_database), pytest.raises(Unreadable, match="GRANT pg_read_all_stats"):
            look(filling, signal)
        filling = make_filling(each_database.superuser_dsn)
    for table in ("things", "parts"):
        for verdict in look(filling, signal, table):
            assert verdict.signal == kind.name
            assert kind.name == "hours" or verdict.level is Level.CALM, verdict


@contextmanager
def somebody_else(database: Database) -> Iterator[None]:
    """A session of somebody else's."""
    with psycopg.connect(database.superuser_dsn):
        yield


def test_a_session_that_waits_for_the_table_is_counted_and_named(things: Filling) -> None:
    signal = LockWaits(Limits(slow=1, stop=5))
    holder, waiter = things.open("holder"), things.open("waiter")
    holder.execute("BEGIN")
    holder.execute("LOCK TABLE things IN ACCESS EXCLUSIVE MODE")
    waiting = threading.Thread(target=lambda: waiter.execute("SELECT FROM things LIMIT 1"))
    waiting.start()
    try:
        (found,) = until(lambda: [one for one in look(things, signal) if one.level is not Level.CALM], what="seen")
        assert found.level is Level.STRAINED
        assert "session(s) wait" in found.words
    finally:
        holder.close()
        waiting.join()
        waiter.close()
    assert look(things, signal)[0].level is Level.CALM


def test_a_signal_slows_down_then_stops_then_lets_go_on(things: Filling) -> None:
    put_load(things, 15)
    engine = things.engine(FILLS, rate=4000, watched=True)
    with things.watching(FILLS, LOAD), things.in_thread(engine) as ended:
        until(lambda: health_is(things, stopped=False, share=0.6), what="slower")
        put_load(things, 25)
        until(lambda: health_is(things, stopped=True), what="stopped")
        until(lambda: things.reports[-1].is_waiting, what="said")
        assert things.reports[-1].reason == "queries.load: the query gives 25 (slow from 10, stop from 20)"
        before = things.position().rows_seen
        assert before < ROWS
        put_load(things, 9)  # below the limits, and near them: it still waits
        until(lambda: "gives 9" in (things.position().health.reason or ""), what="it still waits")
        assert things.position().rows_seen == before
        put_load(things, 0)
        until(lambda: health_is(things, stopped=False), what="goes on")
        things.execute("UPDATE ec.backfill SET rate = NULL")

    assert [end.outcome for end in ended] == [Outcome.COMPLETE]
    assert [(one.about, one.kind) for one in throttles(things)] == [
        ("queries.load", ThrottleKind.SLOW),
        ("queries.load", ThrottleKind.STOP),
    ]
    slow, stop = throttles(things)
    assert slow.ended_at is not None
    assert stop.ended_at is not None
    assert slow.began_at < slow.ended_at <= stop.began_at < stop.ended_at
    assert stop.reason == "queries.load: the query gives 25 (slow from 10, stop from 20)"


def test_flat_out_a_strained_signal_leaves_rests_between_the_ranges(things: Filling) -> None:
    put_load(things, 15)
    engine = things.engine(FILLS, rate=None, watched=True)
    with things.watching(FILLS, LOAD):
        until(lambda: health_is(things, stopped=False, share=0.1), what="slower")
        assert engine.run().outcome is Outcome.COMPLETE

    starts = things.rows("SELECT done_at - make_interval(secs => seconds), done_at FROM ec.backfill_range ORDER BY id")
    worked = sum((done - start).total_seconds() for start, done in starts)
    assert worked < 0.5 * (starts[-1][1] - starts[0][0]).total_seconds()


def test_a_required_signal_that_cannot_be_read_stops_with_its_reason(things: Filling) -> None:
    broken = Query("queries.broken", "SELECT n FROM nowhere", Limits(10))
    engine = things.engine(FILLS, watched=True)
    with things.watching(FILLS, broken), things.in_thread(engine) as ended:
        until(lambda: health_is(things, stopped=True), what="stopped")
        assert 'queries.broken: it can\'t be read: relation "nowhere" does not exist' in things.position().health.reason
        assert things.position().rows_seen == 0
        things.execute("CREATE TABLE nowhere AS SELECT 1 AS n")

    assert [end.outcome for end in ended] == [Outcome.COMPLETE]


@dataclass
class Faulty:
    """A signal with a fault of its own."""

    name: str = "faulty"
    fails: bool = True

    def look(self, scene: Scene) -> Sequence[Verdict]:
        if self.fails:
            raise ZeroDivisionError
        return []


def test_a_fault_in_a_signal_is_told_like_one_that_cannot_be_read(things: Filling) -> None:
    faulty = Faulty()
    engine = things.engine(FILLS, watched=True)
    with things.watching(FILLS, faulty), things.in_thread(engine) as ended:
        until(lambda: health_is(things, stopped=True), what="stopped")
        assert things.position().health.reason == "faulty: it can't be read: ZeroDivisionError"
        faulty.fails = False

    assert [end.outcome for end in ended] == [Outcome.COMPLETE]


def test_any_other_that_cannot_be_read_is_said_once_and_left_out(things: Filling) -> None:
    broken = Query("queries.broken", "SELECT 'many' FROM things", Limits(10))
    begin(things)
    with things.watching(FILLS, broken, required=False):
        assert things.run(FILLS, watched=True, rate=10_000).outcome is Outcome.COMPLETE

    assert things.said == [
        "health: queries.broken: it can't be read: the query doesn't give one number; it isn't watched"
    ]


def test_a_query_may_not_write(things: Filling) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        look(things, Query("queries.x", "DELETE FROM things RETURNING 1", Limits(1)))


def test_no_range_begins_before_the_first_look_and_none_when_nobody_looks_any_more(things: Filling) -> None:
    engine = things.engine(FILLS, rate=20_000, watched=True)
    with things.in_thread(engine) as ended:
        until(lambda: things.reports, what="it says that it waits")
        assert things.reports[-1].is_waiting
        assert things.position().rows_seen == 0
        with things.watching(FILLS, LOAD):
            until(lambda: things.position().rows_seen, what="it begins")
            things.execute("UPDATE ec.backfill_health SET looked_at = now() - interval '1 hour', watcher = 'nobody'")
        done = things.position().rows_seen
        until(lambda: things.reports[-1].is_waiting, what="it waits again")
        assert things.position().rows_seen <= done + 4000
        with things.watching(FILLS, LOAD):
            until(lambda: not things.reports[-1].is_waiting, what="it goes on", seconds=60)
            things.execute("UPDATE ec.backfill SET rate = NULL")
            until(lambda: ended, what="it ends")

    assert [end.outcome for end in ended] == [Outcome.COMPLETE]


@dataclass
class Counting:
    """A signal that counts how often it is looked at."""

    name: str = "counting"
    looks: list[float] = field(default_factory=list)

    def look(self, scene: Scene) -> Sequence[Verdict]:
        self.looks.append(time.monotonic())
        return []


def test_one_of_several_looks_and_another_takes_over_when_it_is_gone(things: Filling) -> None:
    begin(things)
    first, second = Counting(), Counting()
    with things.watching(FILLS, second):
        things.execute("UPDATE ec.backfill_health SET leased_until = '-infinity'")  # as if it hung
        with things.watching(FILLS, first):
            until(lambda: len(first.looks) >= 3, what="the first looks")
            seen = len(second.looks)
            until(lambda: len(first.looks) >= 6, what="the first goes on")
            assert len(second.looks) == seen
        until(lambda: len(second.looks) > seen, what="the second takes over")


def test_the_throttle_survives_a_watch_that_ends(things: Filling) -> None:
    begin(things)
    put_load(things, 15)
    with things.watching(FILLS, LOAD):
        until(lambda: health_is(things, stopped=False, share=0.4), what="slower")
    assert things.position().health is None
    assert all(one.ended_at is not None for one in throttles(things))

    with things.watching(FILLS, LOAD):
        assert until(lambda: things.position().health).share <= 0.4


def test_a_slow_answer_from_outside_delays_no_other_signal(things: Filling) -> None:
    begin(things)
    answering = threading.Event()
    answering.set()

    def ask() -> Sequence[str]:
        assert answering.wait(60)
        return ("alert Fire fires",)

    counting, outside = Counting(), InBackground(Objection("alertmanager.main", ask), every=0.01)
    with things.watching(FILLS, outside, counting):
        until(lambda: health_is(things, stopped=True), what="stopped")
        assert things.position().health.reason == "alertmanager.main: alert Fire fires"
        answering.clear()
        looks = len(counting.looks)
        until(lambda: len(counting.looks) > looks + 2, what="others are looked at")
        answering.set()
