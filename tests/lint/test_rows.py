"""Which rows a data statement touches: every one, as many as there happen to be, or a bounded part of the key."""

from __future__ import annotations

import pytest

from expandcontract.lint import lint_sql

SCHEMA = "CREATE TABLE t (id bigint PRIMARY KEY, code text UNIQUE, x integer); CREATE TABLE u (id bigint PRIMARY KEY);"
ABOUT_ROWS = {"update-without-where", "delete-without-where", "unbatched-backfill", "bulk-dml-in-migration"}


def rules(sql: str) -> set[str]:
    return {each.rule for each in lint_sql(sql, schema=SCHEMA)} & ABOUT_ROWS


@pytest.mark.parametrize(
    "where",
    ["", "WHERE true", "WHERE 1 = 1", "WHERE NOT false", "WHERE 'a' = 'a' AND true", "WHERE x = x", "WHERE x = 1 OR true",
     "WHERE x IS NULL OR x IS NOT NULL", "WHERE 'yes'::boolean", "WHERE 2 > 1"],
)  # fmt: skip
def test_every_row(where: str) -> None:
    assert rules(f"UPDATE t SET x = 1 {where}") == {"update-without-where"}
    assert rules(f"DELETE FROM t {where}") == {"delete-without-where"}


@pytest.mark.parametrize("where", ["x IS NULL", "x = 5", "id > 5", "x < 5 OR id = 1", "t.id = u.id", "id <> 4"])
def test_as_many_as_there_happen_to_be(where: str) -> None:
    assert rules(f"UPDATE t SET x = 1 FROM u WHERE {where}") == {"unbatched-backfill"}


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE t SET x = 1 WHERE id = 5",
        "UPDATE t SET x = 1 WHERE 5 = id AND x IS NULL",
        "UPDATE t SET x = 1 WHERE id BETWEEN 1 AND 1000",
        "UPDATE t SET x = 1 WHERE id >= 1 AND id < 1000 AND x IS NULL",
        "UPDATE t SET x = 1 WHERE code IN ('a', 'b')",
        "DELETE FROM t WHERE id = ANY (ARRAY[1, 2])",
        "DELETE FROM t WHERE id IN (SELECT id FROM t WHERE x IS NULL LIMIT 1000)",
        "WITH b AS (SELECT id FROM t WHERE x IS NULL LIMIT 1000) UPDATE t SET x = 1 FROM b WHERE t.id = b.id",
        "WITH b AS (SELECT id FROM t LIMIT 9) DELETE FROM t WHERE id IN (SELECT id FROM b)",
        "DELETE FROM t WHERE ctid IN (SELECT ctid FROM t LIMIT 1000)",
        "DELETE FROM t WHERE false",
        "INSERT INTO t SELECT id FROM u WHERE id BETWEEN 1 AND 10",
        "INSERT INTO t SELECT id FROM u LIMIT 10",
        "INSERT INTO t VALUES (1, 'a', 2)",
    ],
)
def test_a_bounded_part_of_the_key(sql: str) -> None:
    assert rules(sql) == set()


@pytest.mark.parametrize(
    "sql", ["INSERT INTO t SELECT id FROM u", "CREATE TABLE v AS SELECT * FROM t", "COPY t FROM '/x'"]
)
def test_a_copy_of_a_whole_table(sql: str) -> None:
    assert rules(sql) == {"bulk-dml-in-migration"}
