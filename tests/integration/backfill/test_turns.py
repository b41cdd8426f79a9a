"""Turns over a span of rows: each row once, and less left behind than by one turn."""

import pytest

from expandcontract.backfill.ending import Outcome
from expandcontract.domain.change import Backfill

ROWS = 40_000

KEYS = {
    "bigint": "i - 20000",  # negative ones, too
    "uuid": "md5(i::text)::uuid",
    "text": "'key ' || i",
}


def make_table(filling, key="bigint", *, more=""):
    filling.execute(
        f"CREATE TABLE users (id {key} PRIMARY KEY, name text NOT NULL, shout text, n int NOT NULL DEFAULT 0,"
        f" pad text{more})",
        f"INSERT INTO users SELECT {KEYS[key]}, 'person ' || i, NULL, 0, repeat('x', 200)"
        f" FROM generate_series(1, {ROWS}) i",
    )


def filled(turns=None):
    """Counts how often a row is written."""
    return Backfill("users", set={"shout": "upper(name)", "n": "n + 1"}, where="shout IS NULL", turns=turns)


def growth(filling):
    return filling.value("SELECT pg_relation_size('users')")


@pytest.mark.parametrize("key", KEYS)
def test_every_row_is_written_once_and_turns_grow_the_table_less(filling, key):
    grown = {}
    for turns in (1, None):
        filling.execute("DROP TABLE IF EXISTS users")
        make_table(filling, key)
        before = growth(filling)

        ended = filling.run(filled(turns), revision=f"turns-{turns}", workers=2)

        assert ended.outcome is Outcome.COMPLETE
        assert filling.rows("SELECT n, shout = upper(name), count(*) FROM users GROUP BY 1, 2") == [(1, True, ROWS)]
        position = filling.position(f"turns-{turns}")
        assert (position.rows_seen, position.rows_written, position.number_of_pass) == (ROWS, ROWS, 1)
        grown[turns] = growth(filling) - before
    assert filling.value("SELECT max(turns) FROM ec.backfill_stretch WHERE revision = 'turns-None'") == 6
    assert grown[None] < 0.8 * grown[1]


def test_an_index_on_what_is_written_leaves_one_turn(filling):
    make_table(filling)
    filling.execute("CREATE INDEX ON users (lower(shout))")

    filling.run(filled())

    assert filling.value("SELECT max(turns) FROM ec.backfill_stretch") == 1


def test_rows_that_cannot_be_filled_keep_no_later_turn_from_being_written(filling):
    make_table(filling, more=", CHECK (shout NOT LIKE '%BAD%')")
    bad = {-19_990, -5, 0, 3, 4, 19_999}
    filling.execute(f"UPDATE users SET name = 'bad' WHERE id IN ({', '.join(map(str, bad))})")

    ended = filling.run(filled())

    assert ended.outcome is Outcome.FAILED
    with filling.ledger() as ledger:
        assert {int(one.values[0]) for one in ledger.failures("0002")} == bad
    assert filling.rows("SELECT n, count(*) FROM users GROUP BY n ORDER BY n") == [(0, len(bad)), (1, ROWS - len(bad))]

    filling.execute("UPDATE users SET name = 'good' WHERE name = 'bad'")

    assert filling.run(filled()).outcome is Outcome.COMPLETE
    assert filling.rows("SELECT n, count(*) FROM users GROUP BY n") == [(1, ROWS)]


def test_somebody_elses_old_snapshot_delays_turns_and_stops_none(filling):
    make_table(filling)
    with filling.open("reader") as reader:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT FROM users LIMIT 1")

        ended = filling.run(filled())

    assert ended.outcome is Outcome.COMPLETE
    assert filling.rows("SELECT n, count(*) FROM users GROUP BY n") == [(1, ROWS)]
