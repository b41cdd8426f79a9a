"""A range reads its own rows and no others, whatever the planner believes of the table and the database is set to."""

from __future__ import annotations

import psycopg
import pytest

from expandcontract.backfill.ending import Outcome
from expandcontract.backfill.stretches import estimated_rows
from expandcontract.domain.change import Backfill
from tests.fixtures.filling import make_filling
from tests.fixtures.project import until
from tests.fixtures.servers import Database

FILLS = Backfill("things", set={"filled": "upper(name)"}, where="filled IS NULL", writers="0001")
ROWS = 40_000
READS = 4  # of each row: twice to find its range's end, once to write it and once to verify it

# What the planner knows of the table when the backfill begins.
BELIEFS = {
    "nothing": "",
    "that it is empty": "TRUNCATE things; ANALYZE things; INSERT INTO things TABLE copied",
    "that no row needs it": "UPDATE things SET filled = id; ANALYZE things; TRUNCATE things;"
    " INSERT INTO things TABLE copied",
    "how it is": "ANALYZE things",
}


@pytest.mark.parametrize("belief", BELIEFS.values(), ids=BELIEFS)
def test_no_row_is_read_more_often_than_it_must(each_database: Database, belief: str) -> None:
    filling = make_filling(each_database.dsn)
    filling.execute(
        "CREATE TABLE things (id uuid PRIMARY KEY, name text, filled text) WITH (autovacuum_enabled = off)",
        f"INSERT INTO things SELECT md5(i::text)::uuid, repeat('x', 50) FROM generate_series(1, {ROWS}) i",
        "CREATE INDEX ON things (filled)",
        "CREATE TABLE copied AS TABLE things",
        *belief.split(";"),
    )

    assert filling.run(FILLS).outcome is Outcome.COMPLETE

    query = "SELECT sum(idx_tup_read)::int8 FROM pg_stat_user_indexes WHERE relname = 'things'"
    reads = until(lambda: found if (found := filling.value(query)) >= READS * ROWS else None, what="it is counted")
    assert reads <= 2 * READS * ROWS  # old versions of rows have entries, too


@pytest.mark.parametrize("belief", BELIEFS.values(), ids=BELIEFS)
def test_how_many_rows_there_are_is_known_whatever_the_planner_believes(database: Database, belief: str) -> None:
    filling = make_filling(database.dsn)
    filling.execute(
        "CREATE TABLE things (id text, name varchar(900), filled text) WITH (autovacuum_enabled = off)",
        f"INSERT INTO things SELECT i, repeat('x', 250) FROM generate_series(1, {ROWS}) i",
        "CREATE TABLE copied AS TABLE things",
        *belief.split(";"),
    )

    with psycopg.connect(database.dsn) as connection:
        estimate = estimated_rows(connection, FILLS)
        whole = estimated_rows(connection, Backfill("pg_am", set={"amname": "amname"}, where="true", writers="0001"))

    assert abs(estimate - ROWS) < 0.25 * ROWS
    assert whole == filling.value("SELECT count(*) FROM pg_am")  # all pages of a small table are read


# What people set for a whole database, and what would break a backfill that relied on the defaults.
SETTINGS = {
    "statement_timeout": "50ms",
    "default_transaction_isolation": "serializable",
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "sql_standard",
    "extra_float_digits": "-9",
    "transaction_timeout": "100ms",  # since PostgreSQL 17
}


@pytest.mark.parametrize("key", ["float8", "timestamptz", "interval"])
def test_the_settings_of_a_database_change_nothing(each_database: Database, key: str) -> None:
    filling = make_filling(each_database.dsn)
    values = {"float8": "{} / 3.0", "timestamptz": "'2020-01-30Z'::timestamptz + {} * '7h'::interval"}
    value = values.get(key, "make_interval(months => {0} % 5, days => {0} % 7, secs => -{0})").format("i")
    filling.execute(
        f"CREATE TABLE things (id {key} PRIMARY KEY, filled int)",
        f"INSERT INTO things SELECT {value} FROM generate_series(1, 601) i",
        *(
            f"ALTER ROLE CURRENT_USER IN DATABASE \"{each_database.name}\" SET {name} = '{value}'"
            for name, value in SETTINGS.items()
            if filling.rows(f"SELECT FROM pg_settings WHERE name = '{name}'")
        ),
    )
    # a range takes longer than the database lets a transaction take
    slow = Backfill(
        "things",
        set={"filled": "COALESCE(filled, 0) + (SELECT 1 FROM pg_sleep(0.001 + 0 * COALESCE(things.filled, 0)))"},
        where="filled IS NULL",
        writers="0001",
        batch=150,
    )

    assert filling.run(slow).outcome is Outcome.COMPLETE

    assert filling.rows("SELECT filled, count(*) FROM things GROUP BY 1") == [(1, 601)]
    assert filling.value("SELECT max(seconds) FROM ec.backfill_range") > 0.1  # or nothing was tried
