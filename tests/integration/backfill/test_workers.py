"""Workers, in one process or in several, share a backfill: each range's effect comes once, whoever dies or sleeps."""

from __future__ import annotations

import itertools
import random
import signal
import subprocess
import sys
import textwrap
import threading

import psycopg
import pytest

from expandcontract.backfill.dispatcher import Dispatcher, Taken, Wait
from expandcontract.backfill.ending import Bounds, Outcome
from expandcontract.backfill.session import Settings, open_session
from expandcontract.domain.change import Backfill
from expandcontract.domain.pace import Pace
from expandcontract.errors import RunnerBusy, ServerUnreachable
from expandcontract.proof.scratch_server import ScratchServer
from tests.fixtures.filling import Filling, make_filling
from tests.fixtures.project import until
from tests.fixtures.servers import database_on

COUNTS = Backfill("things", set={"filled": "COALESCE(filled, 0) + 1"}, where="filled IS NULL", writers="0001")
ROWS = 20_000


@pytest.fixture
def things(filling: Filling) -> Filling:
    """A table of 20,000 rows to fill."""
    make_things(filling)
    return filling


def make_things(filling: Filling) -> None:
    filling.execute(
        "CREATE TABLE things (id int PRIMARY KEY, filled int)",
        f"INSERT INTO things (id) SELECT generate_series(1, {ROWS})",
    )


def assert_filled_once(filling: Filling) -> None:
    assert filling.rows("SELECT filled, count(*) FROM things GROUP BY 1") == [(1, ROWS)]
    assert filling.value("SELECT sum(rows_written) FROM ec.backfill_range") == ROWS


def a_dispatcher(filling: Filling, *, begins: bool, lease: float = 30.0):
    """A worker's session and what hands it ranges, to be moved by hand."""
    session = open_session(filling.open, "0002", COUNTS, Settings(None), begins=begins)
    return session, Dispatcher(session, "0002", COUNTS, lease=lease)


def test_workers_of_one_process_share_the_ranges(things: Filling) -> None:
    assert things.run(COUNTS, workers=4, rate=100_000).outcome is Outcome.COMPLETE

    assert_filled_once(things)
    assert things.value("SELECT count(DISTINCT worker) FROM ec.backfill_range") > 1
    assert things.completed == ["0002"]
    assert things.value("SELECT count(*) FROM ec.backfill_worker") == 0


def test_runs_of_one_backfill_join_and_one_of_them_completes_it(things: Filling) -> None:
    engines = [things.engine(COUNTS, rate=60_000) for _ in range(3)]

    with things.in_thread(engines[0]) as first, things.in_thread(engines[1]) as second:
        third = engines[2].run()

    assert {ended.outcome for ended in [*first, *second, third]} == {Outcome.COMPLETE}
    assert things.completed == ["0002"]
    assert_filled_once(things)


def test_another_backfill_of_the_table_is_refused_while_one_is_at_work(things: Filling) -> None:
    other = Backfill("things", set={"filled": "2"}, where="filled = 1", writers="0001")
    engine = things.engine(COUNTS)

    with pytest.raises(RunnerBusy, match="another backfill fills things"):
        things.engine(other, revision="0003")
    assert engine.run().outcome is Outcome.COMPLETE
    assert things.run(other, revision="0003").outcome is Outcome.COMPLETE


def test_a_lease_that_ended_is_taken_over_and_who_slept_writes_nothing(things: Filling) -> None:
    sleeper, dispatcher = a_dispatcher(things, begins=True, lease=0.0)  # asleep for longer than its lease
    taken = dispatcher.take(Pace.start(None))
    assert isinstance(taken, Taken)

    assert things.run(COUNTS).outcome is Outcome.COMPLETE

    assert not sleeper.ranges.hold(taken.range, sleeper.worker)
    assert not sleeper.ranges.finish(taken.range, sleeper.worker, written=1, seconds=1.0)
    sleeper.end()
    assert_filled_once(things)


def test_a_range_in_an_open_transaction_is_not_taken_over_whatever_its_lease_says(things: Filling) -> None:
    busy, dispatcher = a_dispatcher(things, begins=True, lease=0.0)
    taken = dispatcher.take(Pace.start(None))
    assert isinstance(taken, Taken)
    other, others = a_dispatcher(things, begins=False)

    with busy.connection.transaction():
        assert busy.ranges.hold(taken.range, busy.worker)
        found = [others.take(Pace.start(None, batch=50_000)) for _ in range(3)]
        assert [type(answer) for answer in found] == [Taken, Wait, Wait]
        assert busy.ranges.finish(taken.range, busy.worker, written=0, seconds=0.0)

    assert isinstance(others.take(Pace.start(None)), Wait)  # its own range is still open
    busy.end()
    other.end()


def test_the_ranges_of_a_worker_whose_session_has_ended_are_free_at_once(things: Filling) -> None:
    dead, dispatcher = a_dispatcher(things, begins=True, lease=3600.0)
    taken = dispatcher.take(Pace.start(None))
    assert isinstance(taken, Taken)
    things.execute(f"SELECT pg_terminate_backend({dead.connection.info.backend_pid})")

    assert things.run(COUNTS).outcome is Outcome.COMPLETE

    assert_filled_once(things)
    dead.connection.close()


def test_a_worker_that_loses_its_connection_goes_on_with_another(things: Filling) -> None:
    with things.in_thread(things.engine(COUNTS, rate=10_000, workers=2)) as ended:
        for seen in (1, 5000, 10_000, 15_000):
            until(lambda seen=seen: things.position().rows_seen >= seen, what="going on")
            assert terminate_workers(things) > 0

    assert [one.outcome for one in ended] == [Outcome.COMPLETE]
    assert_filled_once(things)


def terminate_workers(filling: Filling) -> int:
    return len(
        filling.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'ec:backfill:%'"
        )
    )


def test_a_server_that_does_not_come_back_is_said_to_be_unreachable(things: Filling) -> None:
    engine = things.engine(COUNTS, patience=0.3)
    terminate_workers(things)
    dsn, things.dsn = things.dsn, "postgresql://me@127.0.0.1:1/none"

    with pytest.raises(ServerUnreachable, match="the position is kept"):
        engine.run()

    things.dsn = dsn
    assert things.run(COUNTS).outcome is Outcome.COMPLETE


@pytest.mark.parametrize("workers", [1, 3])
def test_the_rate_is_shared_and_exact(filling: Filling, workers: int) -> None:
    """By the ledger's account, at a rate that no machine is too slow for: each range is a row, and worth a second."""
    rate = 1
    filling.execute(
        "CREATE TABLE things (id int PRIMARY KEY, filled int)",
        "INSERT INTO things (id) SELECT generate_series(1, 100)",
    )
    sessions = [open_session(filling.open, "0002", COUNTS, Settings(rate), begins=not n) for n in range(workers)]
    dispatchers = [Dispatcher(one, "0002", COUNTS, lease=30.0) for one in sessions]
    paid = []
    for dispatcher in itertools.islice(itertools.cycle(dispatchers), 40):
        taken = dispatcher.take(Pace.start(rate, batch=rate))
        assert isinstance(taken, Taken)
        assert taken.range.rows == 1
        paid.append(filling.value("SELECT extract(epoch FROM paid_until)::float8 FROM ec.backfill"))

    # asked for one right after the other by different workers
    assert [later - earlier for earlier, later in itertools.pairwise(paid)] == pytest.approx([1.0] * 39)
    assert taken.wait > 0
    for session in sessions:
        session.end()


PROCESS = """
import sys
import psycopg
from expandcontract.backfill.engine import Engine
from expandcontract.backfill.session import Settings
from expandcontract.backfill.work import Work
from expandcontract.domain.change import Backfill

backfill = Backfill("things", set={"filled": "COALESCE(filled, 0) + 1"}, where="filled IS NULL", writers="0001")
Engine(
    lambda name: psycopg.connect(sys.argv[1], autocommit=True, application_name=name),
    Work("0002", backfill, False, Settings(8000, lease=0.5, workers=2), lambda executor: None),
    on_progress=lambda progress: None,
    stop=lambda: False,
).run()
"""


def start_process(dsn: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(PROCESS), dsn])


def test_processes_that_are_killed_and_stopped_at_random_leave_every_row_filled_once(things: Filling) -> None:
    """Beside an application that inserts rows, and updates them, which must never fail."""
    luck, over, failures = random.Random(3), threading.Event(), []

    def write() -> None:
        with psycopg.connect(things.dsn, autocommit=True) as connection:
            for number in itertools.count(ROWS + 1):
                if over.is_set():
                    return
                try:
                    connection.execute("INSERT INTO things VALUES (%s, 1)", [number])
                    connection.execute("UPDATE things SET id = id WHERE id = %s", [luck.randrange(1, ROWS)])
                except psycopg.Error as error:
                    failures.append(error)
                    return

    writer = threading.Thread(target=write)
    writer.start()
    processes = [start_process(things.dsn) for _ in range(2)]
    stopped = None
    try:
        for turn in range(6):
            seen = things.value("SELECT COALESCE(sum(rows_seen), 0) FROM ec.backfill_range WHERE state = 'done'")
            until(
                lambda seen=seen: (
                    things.value("SELECT COALESCE(sum(rows_seen), 0) FROM ec.backfill_range WHERE state = 'done'")
                    >= min(ROWS, seen + luck.randrange(300, 3000))
                ),
                what="progress",
            )
            victim = processes.pop(0)
            if turn == 3 and victim.poll() is None:
                victim.send_signal(signal.SIGSTOP)
                stopped = victim
            else:
                victim.kill()
                victim.wait()
            processes.append(start_process(things.dsn))
        if stopped:
            stopped.send_signal(signal.SIGCONT)
        for process in processes:
            assert process.wait(60) == 0
        if stopped:
            assert stopped.wait(60) == 0
    finally:
        over.set()
        writer.join()
        for process in [*processes, *([stopped] if stopped else [])]:
            process.kill()
            process.wait()

    assert failures == []
    assert things.value(f"SELECT count(*) FROM things WHERE id <= {ROWS}") == ROWS
    assert things.value("SELECT count(*) FROM things WHERE filled IS DISTINCT FROM 1") == 0
    assert things.value("SELECT sum(rows_written) FROM ec.backfill_range") == ROWS


def test_a_restart_of_the_server_in_the_middle_is_survived(cluster: ScratchServer) -> None:
    filling = make_filling(database_on(cluster).dsn)
    make_things(filling)

    with filling.in_thread(filling.engine(COUNTS, rate=10_000, workers=2)) as ended:
        until(lambda: filling.position().rows_seen > 2000)
        cluster.restart()

    assert [one.outcome for one in ended] == [Outcome.COMPLETE]
    assert_filled_once(filling)


def test_a_bound_of_rows_holds_for_all_workers_of_a_run(things: Filling) -> None:
    ended = things.run(COUNTS, workers=3, bounds=Bounds(rows=5000))

    assert ended.outcome is Outcome.BOUND_REACHED
    assert things.value("SELECT count(filled) FROM things") == 5000
