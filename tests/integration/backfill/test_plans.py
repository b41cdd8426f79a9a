"""A range reads its own rows and no others, whatever the planner believes of the table."""

from __future__ import annotations

import pytest

from expandcontract.backfill.ending import Outcome
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
