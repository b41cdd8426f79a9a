"""Rows that can't be filled, rows that are locked, and conditions that never become false."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest
from psycopg import sql

from expandcontract.backfill import worker
from expandcontract.backfill.ending import Bounds, Outcome
from expandcontract.backfill.kinds.kind import NotFalsified
from expandcontract.domain.change import Backfill, Sync
from tests.fixtures.filling import Filling
from tests.fixtures.project import until
from tests.fixtures.servers import Database

NUMBERS = Backfill("things", set={"number": "raw::int"}, where="number IS NULL", writers="0001")
# Its own predicate fails on a bad row, too: number IS NOT DISTINCT FROM raw::int.
SYNCED = Backfill(Sync("things", forward={"number": "raw::int"}, reads=("raw",)))
POISON = (1, 2, 777, 1000, 1999, 2500, 3000)


@pytest.fixture(params=["id int PRIMARY KEY", "id int"], ids=["key", "ctid"])
def things(filling: Filling, request: pytest.FixtureRequest) -> Filling:
    """3,000 rows of which seven are no numbers."""
    filling.execute(
        f"CREATE TABLE things ({request.param}, raw text, number int)",
        "INSERT INTO things SELECT i, i::text FROM generate_series(1, 3000) i",
        f"UPDATE things SET raw = 'bad' WHERE id IN {POISON}",
        "VACUUM FULL things",
    )
    return filling


@pytest.mark.parametrize("backfill", [NUMBERS, SYNCED], ids=["where", "sync"])
@pytest.mark.parametrize("workers", [1, 3])
def test_exactly_the_bad_rows_are_set_aside_and_filled_after_their_repair(
    things: Filling, backfill: Backfill, workers: int
) -> None:
    ended = things.run(backfill, workers=workers)

    assert ended.outcome is Outcome.FAILED
    assert ended.reason == (
        "7 row(s) can't be filled and are set aside, and all others are right;"
        ' the first: invalid input syntax for type integer: "bad"'
    )
    assert things.value("SELECT count(*) FROM things WHERE number = raw::int AND raw <> 'bad'") == 2993
    with things.ledger() as ledger:
        found = ledger.failures("0002")
    assert {(one.schema, one.relation, one.sqlstate) for one in found} == {("public", "things", "22P02")}
    assert all('invalid input syntax for type integer: "bad"' in one.error for one in found)
    column = found[0].key.columns[0]
    keys = {things.value(f"SELECT id FROM things WHERE {column} = '{one.values[0]}'") for one in found}
    assert keys == set(POISON)
    assert things.position().set_aside == 7
    assert things.completed == []
    assert things.run(backfill).outcome is Outcome.FAILED  # as long as nothing is mended
    assert things.position().set_aside == 7

    things.execute("UPDATE things SET raw = id::text WHERE raw = 'bad'")
    with things.ledger() as ledger:
        assert ledger.retry("0002") == 7
    assert things.run(backfill).outcome is Outcome.COMPLETE
    assert things.value("SELECT count(*) FROM things WHERE number IS DISTINCT FROM id") == 0
    assert things.position().set_aside == 0
    assert things.completed == ["0002"]


def test_an_expression_that_fails_on_every_row_is_given_up(things: Filling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "MOST_SET_ASIDE", 20)

    things.execute(
        "TRUNCATE things",  # the first rows, on which it is tried before it begins, don't need it
        "INSERT INTO things SELECT i, i, CASE WHEN i <= 200 THEN 0 END FROM generate_series(1, 3000) i",
    )
    ended = things.run(Backfill("things", set={"number": "1 / (id - id)"}, where="number IS NULL", writers="0001"))

    assert ended.outcome is Outcome.FAILED
    assert "20 rows can't be filled" in (ended.reason or "")


def test_a_condition_that_stays_true_is_noticed_in_the_first_range(things: Filling) -> None:
    with pytest.raises(NotFalsified, match="doesn't make its condition false"):
        things.run(Backfill("things", set={"number": "id"}, where="id > 500", writers="0001"))


def test_rows_that_are_undone_again_and_again_end_it_after_three_passes(filling: Filling) -> None:
    filling.execute(
        "CREATE TABLE few (id int PRIMARY KEY, n int)",
        "INSERT INTO few SELECT generate_series(1, 10)",
        "CREATE TABLE undoer (LIKE few)",
        "CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE few SET n = NULL WHERE id = 7;"
        " RETURN NULL; END'",
        "CREATE TRIGGER undo AFTER UPDATE ON few FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0)"
        " EXECUTE FUNCTION undo()",
    )
    backfill = Backfill("few", set={"n": "1"}, where="n IS NULL", writers="0001")

    ended = filling.run(backfill)

    assert ended.outcome is Outcome.FAILED
    assert "passes rows still need it" in (ended.reason or "")
    filling.execute("DROP TRIGGER undo ON few")
    assert filling.run(backfill).outcome is Outcome.COMPLETE


def test_a_locked_row_is_soon_alone_and_the_rest_is_filled_meanwhile(things: Filling) -> None:
    things.execute("UPDATE things SET raw = id::text WHERE raw = 'bad'")
    with things.open("the application") as application:
        application.execute("BEGIN")
        application.execute("SELECT FROM things WHERE id = 1234 FOR UPDATE")
        with things.in_thread(things.engine(replace(NUMBERS, lock_timeout="50ms"))) as ended:
            until(lambda: things.value("SELECT count(number) FROM things") > 2700, what="the others being filled")
            application.execute("COMMIT")

    assert [one.outcome for one in ended] == [Outcome.COMPLETE]
    assert things.value("SELECT count(*) FROM things WHERE number IS DISTINCT FROM id") == 0
    assert things.value("SELECT sum(rows_written) FROM ec.backfill_range") == 3000


def test_a_cancelled_backfill_begins_at_the_first_row(things: Filling) -> None:
    things.execute("UPDATE things SET raw = id::text WHERE raw = 'bad'")
    things.run(NUMBERS, bounds=Bounds(rows=500))
    with things.ledger() as ledger:
        ledger.put_state("0002", "cancelled", "cancelled by ada")

    assert things.run(NUMBERS).outcome is Outcome.COMPLETE
    assert things.position().rows_seen >= 3000
    assert things.value("SELECT count(*) FROM things WHERE number IS DISTINCT FROM id") == 0


@pytest.fixture
def numbers(filling: Filling) -> Filling:
    """3,000 numbers to fill, which the first range has among them."""
    filling.execute(
        "CREATE TABLE things (id int PRIMARY KEY, raw text, number int)",
        "INSERT INTO things SELECT i, i::text FROM generate_series(1, 3000) i",
    )
    return filling


def waits_for_a_lock(filling: Filling) -> bool:
    return bool(filling.rows("SELECT FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')"))


def assert_tried_again(filling: Filling, ended: list[object]) -> None:
    assert [getattr(one, "outcome", one) for one in ended] == [Outcome.COMPLETE]
    assert filling.value("SELECT count(*) FROM things WHERE number IS DISTINCT FROM id") == 0
    assert filling.value("SELECT max(attempts) FROM ec.backfill_range") > 1
    assert filling.value("SELECT sum(rows_written) FROM ec.backfill_range") == 3000


def test_a_deadlock_is_the_backfill_s_loss_and_is_tried_again_in_smaller_ranges(
    numbers: Filling, database: Database
) -> None:
    with psycopg.connect(database.superuser_dsn, autocommit=True) as application:
        # whoever looks for a deadlock first loses; after so long, it has come about on the slowest machine
        application.execute(
            sql.SQL("ALTER DATABASE {} SET deadlock_timeout = '4s'").format(sql.Identifier(database.name))
        )
        application.execute("SET deadlock_timeout = '10min'")
        application.execute("BEGIN")
        application.execute("UPDATE things SET raw = raw WHERE id = 900")
        with numbers.in_thread(numbers.engine(replace(NUMBERS, lock_timeout="1m", statement_timeout="1m"))) as ended:
            until(lambda: waits_for_a_lock(numbers), what="the backfill waiting for row 900")
            application.execute("UPDATE things SET raw = raw WHERE id = 1")  # which the backfill holds
            application.execute("COMMIT")

    assert_tried_again(numbers, ended)
    assert numbers.value("SELECT min(rows_seen) FROM ec.backfill_range WHERE pass = 1") <= 500


def test_serialization_failures_are_tried_again(numbers: Filling, database: Database) -> None:
    """The session itself reads committed rows, whatever the database's default; the author's own triggers may not."""
    numbers.execute(
        "CREATE SEQUENCE failures",
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.id = 700 AND nextval('failures') <= 3 THEN RAISE 'elsewhere' USING ERRCODE = '40001'; END IF;"
        " RETURN NEW; END $$",
        "CREATE TRIGGER fail BEFORE UPDATE ON things FOR EACH ROW EXECUTE FUNCTION fail()",
    )
    numbers.execute(
        f"ALTER ROLE CURRENT_USER IN DATABASE {database.name} SET default_transaction_isolation = serializable"
    )
    with numbers.open("the application") as application:
        application.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        application.execute("UPDATE things SET raw = raw WHERE id = 900")
        with numbers.in_thread(numbers.engine(replace(NUMBERS, lock_timeout="1m"), workers=3)) as ended:
            until(lambda: waits_for_a_lock(numbers), what="the backfill waiting for row 900")
            application.execute("COMMIT")

    assert_tried_again(numbers, ended)
    assert numbers.value("SELECT last_value FROM failures") >= 4


def test_a_range_that_takes_too_long_is_tried_again_in_smaller_ones(numbers: Filling) -> None:
    slow = replace(
        NUMBERS, set={"number": "CASE WHEN pg_sleep(0.0005) IS NOT NULL THEN id END"}, statement_timeout="200ms"
    )

    ended = numbers.run(slow)

    assert_tried_again(numbers, [ended])
    assert numbers.value("SELECT max(rows_seen) FROM ec.backfill_range WHERE pass = 1") < 400


def test_a_lost_connection_is_replaced_and_its_range_is_done_once(numbers: Filling) -> None:
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'ec:backfill:%'"
    with numbers.in_thread(numbers.engine(NUMBERS, rate=3000)) as ended:
        for rows in (300, 1200):
            until(lambda rows=rows: numbers.value("SELECT count(number) FROM things") >= rows, what="progress")
            numbers.execute(kill)

    assert [getattr(one, "outcome", one) for one in ended] == [Outcome.COMPLETE]
    assert numbers.value("SELECT count(*) FROM things WHERE number IS DISTINCT FROM id") == 0
    assert numbers.value("SELECT sum(rows_written) FROM ec.backfill_range") == 3000
