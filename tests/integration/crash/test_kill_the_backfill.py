"""A backfill that dies, is stopped or is written around: no row is lost, and none is done twice."""

import random
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fixtures.project import CREATE_USERS, rename_name, until

ROWS = 60_000


@pytest.fixture
def to_fill(project):
    """60,000 users, expanded and not filled; green runs what ships the change and has all the traffic."""
    project.revision("0001", CREATE_USERS, title="create users")
    project.ok("migrate", "expand")
    project.execute(f"INSERT INTO users (name) SELECT 'person ' || i FROM generate_series(1, {ROWS}) i")
    project.revision("0002", rename_name("1ms"), after="0001", title="rename")
    project.ok("migrate", "expand")
    project.ok("colour", "deploy", "green", "2")
    project.ec("colour", "traffic", "green=100")
    return project


def written(project):
    """The rows that finished ranges say they wrote, and the rows that are filled."""
    ((ranges, filled),) = project.rows(
        "SELECT (SELECT coalesce(sum(rows_written), 0) FROM ec.backfill_range),"
        " (SELECT count(*) FROM users WHERE display_name IS NOT NULL)"
    )
    return ranges, filled


def start_and_wait_for(project, more, *options):
    """A backfill that runs and has written at least `more` further rows."""
    before = written(project)[0]
    running = project.start("backfill", *options)
    until(lambda: written(project)[0] >= before + more or not running.is_running, what="progress")
    assert running.is_running, running.end()
    return running


def test_a_backfill_killed_at_three_moments_ends_complete_and_nothing_is_done_twice(to_fill):
    luck = random.Random(2)
    for more in (1, luck.randrange(3_000, 9_000), luck.randrange(3_000, 9_000)):
        running = start_and_wait_for(to_fill, more, "--rate", "15000")
        running.kill()
        until(lambda: not to_fill.runners(), what="the lock being freed")
        ranges, filled = written(to_fill)
        assert 0 < ranges == filled < ROWS
        # the contract is refused meanwhile, and drops nothing
        refused = to_fill.json("migrate", "contract", code=3)
        assert "not-backfilled" in {no["code"] for no in refused["refusals"]}
        assert to_fill.columns("users") == ["display_name", "id", "name"]
    (view,) = [step for step in to_fill.json("status")["steps"] if step["phase"] == "backfill"]
    assert (view["state"], view["rows"]) == ("started", ranges)

    (done,) = to_fill.json("backfill", "--rate", "max")["filled"]

    assert done["rows"] == done["rows_written"] == ROWS
    assert done["passes"] == 1
    assert written(to_fill) == (ROWS, ROWS)
    assert to_fill.value("SELECT count(*) FROM users WHERE display_name IS DISTINCT FROM name") == 0
    to_fill.ok("migrate", "contract")
    assert to_fill.columns("users") == ["display_name", "id"]
    assert to_fill.value("SELECT count(*) FROM users WHERE display_name LIKE 'person %'") == ROWS


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_backfill_that_is_told_to_stop_saves_its_position(to_fill, number):
    running = start_and_wait_for(to_fill, 1, "--rate", "5000")
    running.signal(number)
    stopped = running.end()

    assert stopped.code == 130
    ranges, filled = written(to_fill)
    assert 0 < ranges == filled < ROWS
    assert f"backfill 0002 was interrupted after {ranges} rows; the position is saved" in stopped.stderr
    assert "next:    ec backfill 0002" in stopped.stderr
    assert not to_fill.runners()
    assert to_fill.steps()["backfill 0002"] == "started"
    (event,) = to_fill.json("log", "0002", "--most", "1")["events"]
    assert (event["kind"], event["facts"]["rows"]) == ("backfill interrupted", ranges)
    (done,) = to_fill.json("backfill", "--rate", "max")["filled"]
    assert (done["rows"], done["rows_written"]) == (ROWS, ROWS)


def test_a_second_run_joins_and_a_different_backfill_of_the_table_is_told_who_fills_it(to_fill):
    body = """
    from expandcontract import Backfill

    def upgrade():
        op.add_column("users", sa.Column("shout", sa.Text))

    def downgrade():
        op.drop_column("users", "shout")

    backfill = Backfill("users", set={"shout": "upper(name)"}, where="shout IS NULL", writers="0002")
    """
    to_fill.revision("0003", body, after="0002", title="add shout")
    to_fill.alembic("upgrade", "head")  # it may not overtake the contract of 0002, which ec knows
    running = start_and_wait_for(to_fill, 1, "0002", "--rate", "2000")

    other = to_fill.json("backfill", "0003", code=6)
    undo = to_fill.ec("undo", "0002", "--give-up", "2")
    joined = to_fill.json("backfill", "0002", "--max-rows", "500", code=5)

    pid = to_fill.runners()[0]
    assert other["error"]["kind"] == "RunnerBusy"
    assert f"backend {pid} (process {running.process.pid} on " in other["error"]["because"]
    assert "fills it for 0002" in other["error"]["because"]
    assert undo.code == 3  # green has traffic
    assert joined["remaining"][0]["rows"] >= 500
    running.kill()
    until(lambda: not to_fill.runners())
    to_fill.ok("backfill", "--rate", "max")


def test_whatever_is_written_during_a_backfill_is_right_in_both_shapes(to_fill):
    """Threads write the old shape, the new shape and both, delete rows, and move rows to other keys."""
    stop = threading.Event()
    failures = []

    def write(seed):
        luck = random.Random(seed)
        with to_fill.connect(autocommit=True) as connection:
            number = 0
            while not stop.is_set():
                number += 1
                key, text = luck.randrange(1, ROWS), f"writer {seed} wrote {number}"
                statement, values = luck.choice(
                    [
                        ("UPDATE users SET name = %s WHERE id = %s", (text, key)),
                        ("UPDATE users SET display_name = %s WHERE id = %s", (text, key)),
                        ("UPDATE users SET name = %s, display_name = %s WHERE id = %s", (text, text, key)),
                        ("INSERT INTO users (name) VALUES (%s)", (text,)),
                        ("INSERT INTO users (display_name) VALUES (%s)", (text,)),
                        ("DELETE FROM users WHERE id = %s", (key,)),
                        # to a key below, where the backfill has been already
                        ("UPDATE users SET id = -id WHERE id = %s", (key,)),
                    ]
                )
                try:
                    connection.execute(statement, values)
                except Exception as error:
                    failures.append(error)
                    return

    with ThreadPoolExecutor(4) as threads:
        writers = [threads.submit(write, seed) for seed in range(4)]
        try:
            running = start_and_wait_for(to_fill, 5_000, "--rate", "25000")
            running.kill()
            until(lambda: not to_fill.runners())
            done = to_fill.ec("backfill", "--rate", "max", "--json")
        finally:
            stop.set()
            for writer in writers:
                writer.result()

    assert failures == []
    assert done.code == 0, done
    assert to_fill.value("SELECT count(*) FROM users WHERE display_name IS DISTINCT FROM name") == 0
    assert to_fill.value("SELECT count(*) FROM users WHERE id < 0") > 0
    to_fill.ok("migrate", "contract")
