"""The kinds of backfill: expressions, the author's own statement, and a Python function over batches of rows."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from expandcontract.backfill.ending import Outcome
from expandcontract.backfill.kinds.kind import AuthorsMistake, NotFalsified
from expandcontract.domain.change import Backfill, Sync
from expandcontract.errors import LockBudgetSpent, StepFailed
from tests.fixtures.filling import Filling

ROWS = 5000
SLUGS = Backfill(
    "articles",
    transform=lambda rows: [{"slug": row["title"].lower().replace(" ", "-")} for row in rows],
    reads=("title",),
    fills=("slug",),
    where="slug IS NULL",
    writers="0001",
)

# each walks along a table in another way
TABLES = {
    "key": "CREATE TABLE articles (id int PRIMARY KEY, title text, slug text)",
    "ctid": "CREATE TABLE articles (id int, title text, slug text)",
    "partitions": "CREATE TABLE articles (id int PRIMARY KEY, title text, slug text) PARTITION BY HASH (id);"
    " CREATE TABLE articles_0 PARTITION OF articles FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
    " CREATE TABLE articles_1 PARTITION OF articles FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
}


@pytest.fixture(params=TABLES)
def articles(filling: Filling, request: pytest.FixtureRequest) -> Filling:
    """5,000 articles without a slug."""
    filling.execute(
        TABLES[request.param], f"INSERT INTO articles SELECT i, 'Title ' || i FROM generate_series(1, {ROWS}) i"
    )
    return filling


def test_a_function_fills_batches_of_rows(articles: Filling) -> None:
    sizes = []

    def slugs(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        sizes.append(len(rows))
        return SLUGS.transform(rows) if SLUGS.transform else []

    assert articles.run(replace(SLUGS, transform=slugs)).outcome is Outcome.COMPLETE

    assert articles.value("SELECT count(*) FROM articles WHERE slug = 'title-' || id") == ROWS
    assert articles.value("SELECT sum(rows_written) FROM ec.backfill_range") == ROWS
    assert len(sizes) < ROWS / 50


def test_a_statement_of_the_author_s_own_joins_and_fills_another_table(articles: Filling) -> None:
    articles.execute(
        "CREATE TABLE words (article int, word text)",
        "INSERT INTO words SELECT id, word FROM articles, unnest(ARRAY['a', 'b', 'c']) word",
        "CREATE TABLE counts (article int PRIMARY KEY, words int NOT NULL)",
        "INSERT INTO counts VALUES (7, 99)",
    )
    backfill = Backfill(
        "articles",
        sql="""
            INSERT INTO counts (article, words)
            SELECT articles.id, count(*) FROM articles JOIN words ON words.article = articles.id
             WHERE :range GROUP BY articles.id
            ON CONFLICT (article) DO UPDATE SET words = EXCLUDED.words
        """,
        where="NOT EXISTS (SELECT FROM counts WHERE counts.article = articles.id AND counts.words = 3)",
        writers="0001",
    )

    assert articles.run(backfill, workers=2).outcome is Outcome.COMPLETE

    assert articles.rows("SELECT words, count(*) FROM counts GROUP BY 1") == [(3, ROWS)]
    assert articles.value("SELECT sum(rows_written) FROM ec.backfill_range") == ROWS


def test_a_statement_of_the_author_s_own_cleans_up(articles: Filling) -> None:
    backfill = Backfill(
        "articles", sql="DELETE FROM articles WHERE :range AND id % 10 <> 0", where="id % 10 <> 0", writers="0001"
    )

    assert articles.run(backfill).outcome is Outcome.COMPLETE

    assert articles.rows("SELECT count(*), min(id % 10), max(id % 10) FROM articles") == [(ROWS // 10, 0, 0)]


def test_a_statement_that_leaves_its_rows_in_need_is_noticed_in_the_first_range(filling: Filling) -> None:
    filling.execute(TABLES["key"], "INSERT INTO articles SELECT i, 'A' FROM generate_series(1, 300) i")
    sql = "UPDATE articles SET title = title WHERE :range"
    backfill = Backfill("articles", sql=sql, where="id > 200", writers="0001")

    with pytest.raises(NotFalsified, match="doesn't make its condition false"):
        filling.run(backfill)
    assert filling.value("SELECT sum(rows_written) FROM ec.backfill_range") == 0


def test_values_of_any_type_arrive_and_none_is_cut_to_fit(filling: Filling) -> None:
    filling.execute(
        "CREATE DOMAIN short AS varchar(5)",
        'CREATE TABLE things (id int PRIMARY KEY, j jsonb, a int[], "%d $1" date, n numeric(8, 2), b bytea, u uuid,'
        " flag boolean, c char(3), s short)",
        "INSERT INTO things SELECT generate_series(1, 3)",
    )
    values = {
        "j": Jsonb({"a": [1, None]}),
        "a": [1, None, 3],
        "%d $1": date(2026, 1, 2),
        "n": Decimal("1.005"),
        "b": b"\x00\xff",
        "u": UUID(int=7),
        "flag": True,
        "c": "ab",
        "s": None,
    }
    backfill = Backfill(
        "things",
        transform=lambda rows: [{**values, "s": "exact" if row["id"] < 3 else "too long"} for row in rows],
        reads=("id",),
        fills=tuple(values),
        where="j IS NULL",
        writers="0001",
    )

    assert filling.run(backfill).outcome is Outcome.FAILED

    expected = ({"a": [1, None]}, [1, None, 3], date(2026, 1, 2), Decimal("1.01"), b"\x00\xff", UUID(int=7), True)
    assert filling.rows("SELECT * FROM things WHERE j IS NOT NULL ORDER BY id") == [
        (1, *expected, "ab ", "exact"),
        (2, *expected, "ab ", "exact"),
    ]
    with filling.ledger() as ledger:
        (aside,) = ledger.failures("0002")
    assert (aside.values, aside.error) == (("3",), "value too long for type character varying(5)")


def test_rows_that_the_function_refuses_are_set_aside(articles: Filling) -> None:
    articles.execute(
        "UPDATE articles SET title = NULL WHERE id IN (1, 777, 4999)",
        "UPDATE articles SET title = 'Zero' WHERE id = 2000",
    )
    plain = SLUGS.transform
    assert plain is not None

    def slugs(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        return [{"slug": "a\0b"} if row["title"] == "Zero" else plain([row])[0] for row in rows]

    ended = articles.run(replace(SLUGS, transform=slugs))

    assert ended.outcome is Outcome.FAILED
    with articles.ledger() as ledger:
        failures = {one.error for one in ledger.failures("0002")}
        assert ledger.set_aside() == {"0002": 4}
    assert failures == {
        "AttributeError: 'NoneType' object has no attribute 'lower'",
        "PostgreSQL text fields cannot contain NUL (0x00) bytes",
    }
    articles.execute("UPDATE articles SET title = 'Title ' || id WHERE slug IS NULL")
    assert articles.run(SLUGS).outcome is Outcome.COMPLETE
    assert articles.value("SELECT count(*) FROM articles WHERE slug = 'title-' || id") == ROWS


def test_no_update_of_the_application_is_lost_between_reading_and_writing_back(articles: Filling) -> None:
    """The application writes title and slug while the function computes slugs from the old titles."""
    plain, times = SLUGS.transform, [0]
    assert plain is not None

    def slow(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        computed = plain(rows)
        if len(rows) < 100:
            return computed  # rows that changed meanwhile; they are locked
        times[0] += 1
        if times[0] <= 3:
            articles.execute(
                f"UPDATE articles SET title = 'New ' || id, slug = 'new-' || id WHERE id % 500 = {times[0]}",
                # not made right by who changed it: the new title must be read
                f"UPDATE articles SET title = 'Late ' || id WHERE id % 500 = {times[0] + 100} AND slug IS NULL",
            )
        return computed

    assert articles.run(replace(SLUGS, transform=slow)).outcome is Outcome.COMPLETE

    assert articles.value("SELECT count(*) FROM articles WHERE title LIKE 'New %'") == 10 * min(times[0], 3)
    assert articles.value("SELECT count(*) FROM articles WHERE title LIKE 'Late %'") > 0
    assert (
        articles.value("SELECT count(*) FROM articles WHERE slug IS DISTINCT FROM lower(replace(title, ' ', '-'))") == 0
    )


def test_no_row_is_locked_while_the_function_runs_unless_it_changed_meanwhile(filling: Filling) -> None:
    filling.execute(
        TABLES["key"],
        "INSERT INTO articles SELECT i, 'T' FROM generate_series(1, 3000) i",
        "UPDATE articles SET title = 'trial', slug = CASE WHEN id > 1 THEN 't' END WHERE id <= 100",
    )
    seen = []

    def watching(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        if [row["title"] for row in rows] == ["trial"]:
            return [{"slug": "t"}]
        seen.extend(filling.rows("SELECT state FROM pg_stat_activity WHERE application_name LIKE 'ec:backfill%'"))
        if len(seen) == 1:
            filling.execute("SET lock_timeout = '1ms'; UPDATE articles SET title = title WHERE id = 200")
        return [{"slug": hashlib.sha256(row["title"].encode()).hexdigest()} for row in rows]

    assert filling.run(replace(SLUGS, transform=watching)).outcome is Outcome.COMPLETE
    assert [state for (state,) in seen if state != "idle"] == ["idle in transaction"]  # for the row that was changed


def test_a_worker_that_sleeps_in_a_transaction_loses_its_session_and_goes_on_in_another(articles: Filling) -> None:
    plain, slept = SLUGS.transform, [0]
    assert plain is not None

    def sleepy(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        if len(rows) > 1:
            articles.execute("UPDATE articles SET title = title || '!' WHERE id = 3000 AND slug IS NULL")
        elif not slept[0]:  # the row that changed meanwhile; it is locked
            slept[0] += 1
            time.sleep(0.5)
        return plain(rows)

    assert articles.run(replace(SLUGS, transform=sleepy), idle=0.1).outcome is Outcome.COMPLETE

    assert slept == [1]
    assert (
        articles.value("SELECT count(*) FROM articles WHERE slug IS DISTINCT FROM lower(replace(title, ' ', '-'))") == 0
    )


def test_a_range_that_ends_its_session_each_time_ends_the_run(articles: Filling) -> None:
    plain, calls = SLUGS.transform, []
    assert plain is not None

    def deadly(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        if any(row["title"] == "Title 4999" for row in rows):
            calls.append(len(rows))
            articles.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'ec:backfill:%'"
            )
        return plain(rows)

    with pytest.raises(StepFailed, match="lost again and again at the same range of backfill 0002"):
        articles.run(replace(SLUGS, transform=deadly))

    assert len(calls) == 5
    assert articles.run(SLUGS).outcome is Outcome.COMPLETE


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda rows: rows[1:], "transform got 800 rows and returned 799 results"),
        (lambda rows: iter(rows), "returned a list_iterator"),
        (lambda rows: [{"slag": "a"} for _ in rows], "a mapping of slug for each row: no 'slug'"),
        (lambda rows: ["a" for _ in rows], "a mapping of slug for each row"),
        (lambda rows: [{"slug": object()} for _ in rows], "PostgreSQL has no type for: cannot adapt type 'object'"),
    ],
)
def test_a_function_that_breaks_its_contract_ends_the_run_and_sets_no_row_aside(
    filling: Filling, function: Any, message: str
) -> None:
    """Rows that are filled already are no trial."""
    filling.execute(
        TABLES["key"],
        "INSERT INTO articles SELECT i, 'T', CASE WHEN i <= 200 THEN 't' END FROM generate_series(1, 1000) i",
    )

    with pytest.raises(AuthorsMistake, match=message):
        filling.run(replace(SLUGS, transform=function))
    assert filling.position().set_aside == 0


def test_a_service_that_does_not_answer_is_asked_again_and_is_no_row_s_fault(
    articles: Filling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("expandcontract.backfill.worker._RETRIES", 2)
    plain, calls = SLUGS.transform, []
    assert plain is not None

    def flaky(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        calls.append(len(rows))
        if len(calls) < 3:
            raise TimeoutError("the slug service timed out")
        return plain(rows)

    def dead(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        raise ConnectionRefusedError("the slug service is down")

    with pytest.raises(LockBudgetSpent) as refused:
        articles.run(replace(SLUGS, transform=dead))
    assert refused.value.because == "the slug service is down"
    assert articles.run(replace(SLUGS, transform=flaky)).outcome is Outcome.COMPLETE
    assert articles.position().set_aside == 0


def test_a_backfill_of_its_own_columns_lets_the_sync_of_another_change_follow(database: Any, filling: Filling) -> None:
    filling.execute(
        "CREATE TABLE users (id int PRIMARY KEY, name text, display_name text)",
        "INSERT INTO users SELECT i, 'n ' || i, 'n ' || i FROM generate_series(1, 100) i",
    )
    sync = Sync("users", forward={"display_name": "name"}, backward={"name": "display_name"})
    install(filling, sync)

    backfill = Backfill("users", set={"name": "upper(name)"}, where="name <> upper(name)", writers="0001")
    assert filling.run(backfill).outcome is Outcome.COMPLETE

    assert filling.value("SELECT count(*) FROM users WHERE display_name = upper('n ' || id)") == 100


def install(filling: Filling, sync: Sync) -> None:
    """The triggers of that Sync."""
    from expandcontract.database.executor import PsycopgExecutor
    from expandcontract.database.sync_catalog import sync_columns
    from expandcontract.database.sync_triggers import create_statements

    with filling.open("expand") as connection:
        filling.execute(*create_statements(sync, sync_columns(PsycopgExecutor(connection), sync.table)))
