"""A backfill seen, paused, steered, bounded and mended through the command line, from any session."""

from __future__ import annotations

import signal

import pytest

from tests.fixtures.project import AlembicProject, until

ROWS = 20_000

CREATE = """
def upgrade():
    op.execute("CREATE TABLE things (id int PRIMARY KEY, raw text)")


def downgrade():
    op.drop_table("things")
"""

NUMBERS = """
from expandcontract import Backfill, Sync

contract_after = "1ms"
sync = Sync("things", forward={"number": "raw::int"}, backward={"raw": "number::text"})


def upgrade():
    op.add_column("things", sa.Column("number", sa.Integer))
    op.create_sync(sync)


def downgrade():
    op.drop_sync(sync)
    op.drop_column("things", "number")


backfill = Backfill(sync)


def contract():
    op.drop_sync(sync)
    op.drop_column("things", "raw")
"""


@pytest.fixture
def things(project: AlembicProject) -> AlembicProject:
    """20,000 rows, expanded and not filled."""
    project.revision("0001", CREATE, title="create things")
    project.ok("migrate", "expand")
    project.execute(f"INSERT INTO things SELECT i, i::text FROM generate_series(1, {ROWS}) i")
    project.revision("0002", NUMBERS, after="0001", title="numbers")
    project.ok("migrate", "expand")
    return project


def done(project: AlembicProject) -> int:
    return int(project.value("SELECT COALESCE(sum(rows_seen), 0) FROM ec.backfill_range WHERE state = 'done'"))


def test_bounds_end_a_run_with_5_and_say_what_remains(things: AlembicProject) -> None:
    bounded = things.json("backfill", "--max-rows", "3000", code=5)
    assert bounded["outcome"] == "done"
    (left,) = bounded["remaining"]
    assert (left["step"], left["rows"]) == ("backfill 0002", 3000)

    text = things.ec("backfill", "run", "0002", "--max-time", "1ms")
    assert text.code == 5
    assert text.stdout.startswith("work remains: backfill 0002: 3000 of about ")
    assert things.ec("backfill", "--until", "25:00").code == 2
    assert things.steps()["backfill 0002"] == "started"
    assert things.json("migrate", "contract", code=3)["refusals"][0]["code"] == "not-backfilled"

    (filled,) = things.json("backfill", "run", "--workers", "2", "--rate", "max")["filled"]
    assert (filled["rows"], filled["rows_written"]) == (ROWS, ROWS)
    assert things.json("backfill", "verify", "0002")["rows_left"] is False
    assert things.json("backfill", "0002")["outcome"] == "nothing"


def test_a_backfill_is_paused_steered_joined_and_resumed_from_other_sessions(things: AlembicProject) -> None:
    running = things.start("backfill", "0002", "--rate", "1000")
    until(lambda: done(things) > 0, what="progress")

    (paused,) = things.json("backfill", "pause", "0002", "--reason", "the sale")["backfills"]
    assert (paused["state"], paused["reason"], paused["rate"]) == ("paused", "paused by ada: the sale", 1000)
    assert [worker["pid"] for worker in paused["workers"]] == [running.process.pid]
    until(lambda: not things.rows("SELECT FROM ec.backfill_range WHERE state = 'open'"), what="the last range's end")
    still = done(things)
    assert things.json("backfill", "pause", "0002")["outcome"] == "nothing"
    shown = things.ok("backfill", "status").stdout
    assert "because: paused by ada: the sale" in shown
    assert "at most 1000 rows/s" in shown
    assert done(things) == still < ROWS
    assert running.is_running

    (steered,) = things.json("backfill", "set", "0002", "--rate", "15000")["backfills"]
    assert steered["rate"] == 15000
    joined = things.start("backfill", "0002", "--json")
    until(lambda: len(things.json("backfill", "status", "0002")["backfills"][0]["workers"]) == 2, what="joining")
    assert things.json("backfill", "resume", "0002")["backfills"][0]["state"] == "running"
    first, second = running.end(), joined.end()

    assert (first.code, second.code) == (0, 0), (first, second)
    assert "paused by ada: the sale" in first.stderr
    assert things.value("SELECT count(*) FROM things WHERE number IS DISTINCT FROM id") == 0
    kinds = [event["kind"] for event in things.json("log", "0002")["events"]]
    assert kinds.count("backfill done") == 1
    assert {"backfill paused", "backfill rate set", "backfill resumed"} <= set(kinds)


def test_a_cancelled_run_ends_and_sigterm_finishes_the_range(things: AlembicProject) -> None:
    running = things.start("backfill", "--rate", "1000")
    until(lambda: done(things) > 0, what="progress")
    things.ok("backfill", "cancel", "0002", "--reason", "wrong night")
    cancelled = running.end()
    assert cancelled.code == 5, cancelled
    assert "cancelled by ada: wrong night" in cancelled.stdout

    running = things.start("backfill", "--rate", "1000", "--workers", "2")
    until(lambda: done(things) > 0 and things.json("backfill", "status")["backfills"][0]["state"] == "running")
    running.signal(signal.SIGTERM)
    stopped = running.end()
    assert stopped.code == 130, stopped
    assert "the position is saved" in stopped.stderr
    assert things.value("SELECT count(*) FROM ec.backfill_worker") == 0


def test_a_backfill_with_rows_set_aside_is_not_complete_until_they_are_mended(things: AlembicProject) -> None:
    things.execute("SET ec.sync = 'off'; UPDATE things SET raw = 'bad' WHERE id IN (7, 12345)")

    failed = things.ec("backfill", "--rate", "max")
    assert failed.code == 7, failed
    assert (
        "because: 2 row(s) can't be filled and are set aside, and all others are right; the first: invalid"
        in failed.stderr
    )
    assert "next:    ec backfill failures 0002, mend them, then: ec backfill retry 0002" in failed.stderr
    assert things.steps()["backfill 0002"] == "failed"
    things.ok("colour", "deploy", "green", "2")
    things.ec("colour", "traffic", "green=100")
    refused = things.json("migrate", "contract", "0002", code=3)
    assert "rows-set-aside" in {no["code"] for no in refused["refusals"]}
    found = things.json("backfill", "failures", "0002", code=1)["failures"]
    assert [(one["table"], one["key"], one["sqlstate"]) for one in found] == [
        ("public.things", {"id": "7"}, "22P02"),
        ("public.things", {"id": "12345"}, "22P02"),
    ]
    assert things.json("backfill", "verify", "0002", code=1)["rows_left"] is True

    things.execute("SET ec.sync = 'off'; UPDATE things SET raw = id::text WHERE raw = 'bad'")
    (filled,) = things.json("backfill", "retry", "0002")["filled"]
    assert filled["rows"] == ROWS
    assert things.json("backfill", "failures", "0002")["outcome"] == "nothing"
    things.ok("migrate", "contract", "0002")


def test_a_backfill_that_is_done_runs_again_where_rows_need_it_after_all(things: AlembicProject) -> None:
    things.ok("backfill", "--rate", "max")
    things.execute("SET ec.sync = 'off'; UPDATE things SET number = NULL WHERE id = 7")

    assert things.json("backfill")["outcome"] == "nothing"
    (filled,) = things.json("backfill", "0002", "--rate", "max")["filled"]

    assert filled["rows_written"] == 1


def test_what_has_not_begun_can_not_be_told_anything(things: AlembicProject) -> None:
    for verb in ("status", "pause", "resume", "cancel", "failures"):
        assert "backfill 0002 hasn't begun" in things.ec("backfill", verb, "0002").stderr
    assert things.ec("backfill", "set", "0002", "--rate", "fast").code == 2
    assert things.ec("backfill", "pause", "0001").code == 2
    assert things.ok("backfill", "status").stdout == "no backfill has begun\n"
