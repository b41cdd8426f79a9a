"""Whatever a table is walked along, every row is filled, once, wherever a run ends and goes on."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expandcontract.backfill.ending import Bounds, Outcome
from expandcontract.domain.change import Backfill
from expandcontract.errors import UsageError
from tests.fixtures.filling import Filling, make_filling
from tests.fixtures.servers import Database

# What a row was filled with tells how often it was: an effect that came twice would count to 2.
COUNTS = Backfill("things", set={"filled": "COALESCE(filled, 0) + 1"}, where="filled IS NULL", writers="0001")

KEYS = {
    "bigint": ("id bigint PRIMARY KEY", "i", 1),
    "negative and sparse": ("id int PRIMARY KEY", "(i - 150) * 7001", 1),
    "identity": ("id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", None, 1),
    "uuid": ("id uuid PRIMARY KEY", "md5(i::text)::uuid", 1),
    "text": ("id text PRIMARY KEY", "chr(64 + i % 60) || '''\\%' || i", 1),
    "text C": ('id text COLLATE "C" PRIMARY KEY', "chr(64 + i % 60) || i", 1),
    "timestamptz": ("id timestamptz PRIMARY KEY", "'2020-01-01'::timestamptz + i * interval '1.000001 s'", 1),
    "composite": ("a int, b text, PRIMARY KEY (b, a)", "i % 7, chr(64 + i % 60) || (i / 7)", 2),
    "unique index": ("id numeric NOT NULL UNIQUE", "i / 3.0", 1),
    "no key": ("id int", "i % 5", 1),
    "nullable unique": ("id int UNIQUE", "CASE WHEN i % 3 > 0 THEN i END", 1),
}


def make_things(filling: Filling, kind: str, count: int) -> None:
    columns, values, _ = KEYS[kind]
    filling.execute(f"CREATE TABLE things ({columns}, filled int)")
    names = "a, b" if kind == "composite" else "id"
    what = f"({names}) SELECT {values}" if values else "(filled) SELECT NULL"
    filling.execute(f"INSERT INTO things {what} FROM generate_series(1, {count}) i")


@pytest.mark.parametrize("kind", KEYS)
def test_every_row_is_filled_once_over_runs_that_end_at_every_range(filling: Filling, kind: str) -> None:
    make_things(filling, kind, 300)
    runs = 0

    while (ended := filling.run(COUNTS, bounds=Bounds(rows=50))).outcome is Outcome.BOUND_REACHED:
        runs += 1

    assert ended.outcome is Outcome.COMPLETE
    assert filling.rows("SELECT filled, count(*) FROM things GROUP BY 1") == [(1, 300)]
    assert filling.position().rows_written == 300
    assert runs >= (1 if kind in ("no key", "nullable unique") else 5)  # those go page by page
    assert filling.completed == ["0002"]
    assert filling.run(COUNTS).outcome is Outcome.COMPLETE  # once more changes nothing
    assert filling.rows("SELECT filled, count(*) FROM things GROUP BY 1") == [(1, 300)]


@pytest.mark.parametrize("kind", [kind for kind in KEYS if kind not in ("no key", "nullable unique")])
def test_ranges_have_no_gap_and_do_not_overlap(filling: Filling, kind: str) -> None:
    make_things(filling, kind, 300)

    filling.run(COUNTS, rate=1000)

    found = filling.rows(
        "SELECT lower_key, upper_key, rows_seen, rows_written FROM ec.backfill_range WHERE pass = 1 ORDER BY id"
    )
    assert len(found) == 6  # a range has a twentieth of a second's worth of rows
    assert found[0][0] is None
    assert [upper for _, upper, _, _ in found[:-1]] == [lower for lower, _, _, _ in found[1:]]
    assert all(seen == written == 50 for _, _, seen, written in found)


# What the application does between two ranges: nothing, or it inserts, deletes, changes keys, or touches rows.
DISTURBANCES = {
    "insert": "INSERT INTO things (id, filled) SELECT i, 1 FROM generate_series({at}, {at} + 20) i"
    " ON CONFLICT DO NOTHING",
    "delete": "DELETE FROM things WHERE id BETWEEN {at} AND {at} + 30",
    "re-key": "UPDATE things SET id = id + {by} WHERE id BETWEEN {at} AND {at} + 3"
    " AND NOT EXISTS (SELECT FROM things t WHERE t.id BETWEEN {at} + {by} AND {at} + {by} + 3)",
    "touch": "UPDATE things SET note = 'touched' WHERE id BETWEEN {at} AND {at} + 40",
}
disturbed = st.lists(
    st.tuples(st.sampled_from(sorted(DISTURBANCES)), st.integers(-50, 400), st.sampled_from([-401, -97, 97, 401])),
    max_size=12,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(["PRIMARY KEY", ""]), ids=st.sets(st.integers(-50, 400), max_size=300), happens=disturbed)
def test_rows_that_come_go_and_move_between_ranges_are_filled_once(
    filling: Filling, kind: str, ids: set[int], happens: list[tuple[str, int, int]]
) -> None:
    filling.execute(
        "DROP TABLE IF EXISTS things",
        f"CREATE TABLE things (id int {kind}, filled int, note text) WITH (fillfactor = 20)",
    )
    shuffled = sorted(ids)
    random.Random(len(ids)).shuffle(shuffled)  # so that a key's order isn't the order on disk
    if shuffled:
        filling.execute(f"INSERT INTO things (id) SELECT unnest(ARRAY{shuffled})")
    filling.execute("DELETE FROM ec.backfill")

    for what, at, by in happens:
        if filling.run(COUNTS, bounds=Bounds(rows=40)).outcome is Outcome.COMPLETE:
            break
        filling.execute(DISTURBANCES[what].format(at=at, by=by))
    assert filling.run(COUNTS).outcome is Outcome.COMPLETE

    assert filling.value("SELECT count(*) FROM things WHERE filled IS DISTINCT FROM 1") == 0


def test_without_a_key_ranges_are_tid_range_scans(filling: Filling) -> None:
    make_things(filling, "no key", 5000)
    filling.run(COUNTS, bounds=Bounds(rows=1))
    (upper,) = filling.value("SELECT upper_key FROM ec.backfill_range LIMIT 1")

    plan = filling.rows(f"EXPLAIN UPDATE ONLY things AS things SET filled = 1 WHERE (things.ctid) <= ('{upper}'::tid)")

    assert any("Tid Range Scan" in line for (line,) in plan)


def test_an_empty_table_is_complete_at_once(filling: Filling) -> None:
    filling.execute("CREATE TABLE things (id int PRIMARY KEY, filled int)")

    assert filling.run(COUNTS).outcome is Outcome.COMPLETE
    assert filling.position().rows_seen == 0


def make_partitioned(filling: Filling) -> None:
    filling.execute(
        "CREATE TABLE things (id int, region text, filled int, PRIMARY KEY (id, region)) PARTITION BY LIST (region)",
        "CREATE TABLE things_north PARTITION OF things FOR VALUES IN ('north')",
        "CREATE TABLE things_south PARTITION OF things FOR VALUES IN ('south') PARTITION BY RANGE (id)",
        "CREATE TABLE things_south_low PARTITION OF things_south FOR VALUES FROM (0) TO (100)",
        "CREATE TABLE things_south_high PARTITION OF things_south FOR VALUES FROM (100) TO (1000)",
        "INSERT INTO things SELECT i, 'north' FROM generate_series(1, 200) i",
        "INSERT INTO things SELECT i, 'south' FROM generate_series(1, 200) i",
    )


def test_a_partitioned_table_goes_partition_by_partition(filling: Filling) -> None:
    make_partitioned(filling)
    named = Backfill(
        "things", set={"filled": "COALESCE(things.filled, 0) + 1"}, where="things.filled IS NULL", writers="0001"
    )

    assert filling.run(named, workers=2).outcome is Outcome.COMPLETE

    assert filling.rows("SELECT filled, count(*) FROM things GROUP BY 1") == [(1, 400)]
    walked = filling.rows("SELECT relation FROM ec.backfill_stretch WHERE NOT verifies ORDER BY number")
    assert walked == [("things_north",), ("things_south_low",), ("things_south_high",)]


def test_a_partition_attached_meanwhile_is_filled_and_one_dropped_is_no_error(filling: Filling) -> None:
    make_partitioned(filling)
    filling.run(COUNTS, bounds=Bounds(rows=250))
    filling.execute(
        "CREATE TABLE old (id int NOT NULL, region text NOT NULL, filled int)",
        "INSERT INTO old SELECT i, 'old' FROM generate_series(1, 70) i",
        "ALTER TABLE things ATTACH PARTITION old FOR VALUES IN ('old')",
        "DROP TABLE things_south_high",
    )

    assert filling.run(COUNTS).outcome is Outcome.COMPLETE

    assert filling.rows("SELECT filled, count(*) FROM things GROUP BY 1") == [(1, 200 + 99 + 70)]
    assert filling.position().number_of_pass == 2


def test_children_by_inheritance_are_walked_each_for_itself(filling: Filling) -> None:
    filling.execute(
        "CREATE TABLE things (id int PRIMARY KEY, filled int)",
        "CREATE TABLE more_things () INHERITS (things)",
        "INSERT INTO things (id) SELECT generate_series(1, 90)",
        "INSERT INTO more_things (id) SELECT generate_series(1, 90)",  # the same keys once more
    )

    assert filling.run(COUNTS).outcome is Outcome.COMPLETE
    assert filling.rows("SELECT filled, count(*) FROM things GROUP BY 1") == [(1, 180)]


def test_what_is_no_table_is_refused(filling: Filling) -> None:
    with pytest.raises(UsageError, match="the backfill's table things doesn't exist"):
        filling.run(COUNTS)
    filling.execute("CREATE VIEW things AS SELECT 1 AS id, NULL::int AS filled")
    with pytest.raises(UsageError, match=r"public\.things can't be walked along"):
        filling.run(COUNTS)


def test_every_version_of_postgresql_walks_alike(each_database: Database) -> None:
    filling = make_filling(each_database.dsn)
    for kind in ("composite", "no key"):
        filling.execute("DROP TABLE IF EXISTS things", "DELETE FROM ec.backfill")
        make_things(filling, kind, 300)
        assert filling.run(COUNTS, workers=2).outcome is Outcome.COMPLETE
        assert filling.rows("SELECT filled, count(*) FROM things GROUP BY 1") == [(1, 300)]
