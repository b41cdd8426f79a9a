"""A backfill is complete when a look along the whole table, at its pace and in ranges of its own, finds no row left."""

from __future__ import annotations

from datetime import timedelta

import pytest

from expandcontract.backfill.dispatcher import Dispatcher, Taken
from expandcontract.backfill.ending import Bounds, Outcome
from expandcontract.backfill.session import Settings, open_session
from expandcontract.backfill.verification import look_along, rows_left_in
from expandcontract.domain.change import Backfill
from expandcontract.domain.pace import Pace
from tests.fixtures.filling import Filling

ROWS = 20_000
COUNTS = Backfill("things", set={"filled": "COALESCE(filled, 0) + 1"}, where="filled IS NULL", writers="0001")


@pytest.fixture(params=["id int PRIMARY KEY", "id int"], ids=["key", "ctid"])
def things(filling: Filling, request: pytest.FixtureRequest) -> Filling:
    """20,000 rows to fill."""
    filling.execute(
        f"CREATE TABLE things ({request.param}, filled int)",
        f"INSERT INTO things (id) SELECT generate_series(1, {ROWS})",
    )
    return filling


def verified(filling: Filling) -> list[tuple[int, int]]:
    """Rows seen and found of each range of the verifying passes."""
    return filling.rows(
        "SELECT r.rows_seen, r.rows_found FROM ec.backfill_range r"
        " JOIN ec.backfill_stretch s ON s.revision = r.revision AND s.pass = r.pass AND s.number = r.stretch"
        " WHERE s.verifies AND r.state = 'done' ORDER BY r.id"
    )


def test_a_look_that_is_interrupted_goes_on_where_it_was(filling: Filling) -> None:
    filling.execute(
        "CREATE TABLE things (id int PRIMARY KEY, filled int)",
        f"INSERT INTO things (id) SELECT generate_series(1, {ROWS})",
    )
    assert filling.run(COUNTS, bounds=Bounds(rows=ROWS + 7000), workers=2).outcome is Outcome.BOUND_REACHED
    assert filling.position().verifies
    before = verified(filling)
    assert sum(seen for seen, _ in before) == 7000

    assert filling.run(COUNTS, workers=2).outcome is Outcome.COMPLETE

    assert verified(filling)[: len(before)] == before
    assert sum(seen for seen, _ in verified(filling)) == ROWS
    assert filling.position().number_of_pass == 1


def test_rows_that_went_wrong_behind_the_walk_are_found_and_filled_by_another_pass(things: Filling) -> None:
    things.run(COUNTS, bounds=Bounds(rows=ROWS // 2))
    things.execute("UPDATE things SET filled = NULL WHERE filled = 1 AND id % 5000 = 7")
    wrong = things.value("SELECT count(*) FROM things WHERE id % 5000 = 7 AND filled IS NULL")

    assert things.run(COUNTS).outcome is Outcome.COMPLETE

    assert 0 < sum(found for _, found in verified(things)) <= wrong
    assert things.position().number_of_pass == 2
    assert things.rows("SELECT filled, count(*) FROM things GROUP BY 1") == [(1, ROWS)]
    assert things.completed == ["0002"]


def test_without_a_key_the_look_is_one_range_because_rows_move(filling: Filling) -> None:
    filling.execute("CREATE TABLE things (id int, filled int)", f"INSERT INTO things SELECT generate_series(1, {ROWS})")

    assert filling.run(COUNTS).outcome is Outcome.COMPLETE

    assert verified(filling) == [(ROWS, 0)]


def test_a_look_may_be_ten_times_as_fast_as_the_rate(filling: Filling) -> None:
    filling.execute(
        "CREATE TABLE things (id int PRIMARY KEY, filled int)",
        f"INSERT INTO things SELECT i, 1 FROM generate_series(1, {ROWS}) i",
    )
    filling.run(COUNTS, rate=1_000_000, bounds=Bounds(rows=ROWS))
    with filling.ledger() as ledger:
        ledger.put_rate("0002", 500)
    session = open_session(filling.open, "0002", COUNTS, Settings(None), begins=True)
    dispatcher = Dispatcher(session, "0002", COUNTS, lease=30.0)
    if not filling.position().verifies:
        assert filling.run(COUNTS, bounds=Bounds(rows=1)).outcome is Outcome.BOUND_REACHED

    taken = dispatcher.take(Pace.start(None))

    assert isinstance(taken, Taken)
    assert taken.verifies
    assert taken.rate == 5000
    session.end()


def test_what_a_look_found_holds_from_its_beginning(things: Filling) -> None:
    assert things.run(COUNTS).outcome is Outcome.COMPLETE

    assert things.value(
        "SELECT bool_and(b.verified_from <= r.done_at) FROM ec.backfill b JOIN ec.backfill_range r ON r.pass = b.pass"
    )
    with things.ledger() as ledger:
        assert ledger.verified_from().keys() == {"0002"}


def test_a_table_too_large_for_a_last_look_is_neither_right_nor_wrong(things: Filling) -> None:
    slow = Backfill("things", set={"filled": "1"}, where="filled IS NULL AND pg_sleep(0.01) IS NULL", writers="0001")
    with things.open("test") as connection:
        patience = timedelta(milliseconds=100)

        assert rows_left_in(connection, slow, new_code_wrote=False, patience=patience) is None
        assert rows_left_in(connection, COUNTS, new_code_wrote=False, patience=timedelta(seconds=30)) is True
        things.execute("UPDATE things SET filled = 1")
        assert rows_left_in(connection, COUNTS, new_code_wrote=False) is False


def test_anybody_may_look_along_the_table_at_any_time(things: Filling) -> None:
    things.execute("UPDATE things SET filled = 1 WHERE id > 3")
    seen: list[int] = []

    with things.open("test") as connection:
        assert look_along(connection, COUNTS, new_code_wrote=False, after_each=seen.append) == (ROWS, 3)
    assert sum(seen) == ROWS
    assert things.rows("SELECT FROM ec.backfill") == []
