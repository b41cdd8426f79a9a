"""Whether the backfill's own predicate still finds a row, in one snapshot of the whole table."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from expandcontract.database.expressions import qualified, unfilled
from expandcontract.domain.change import Backfill


def rows_left_in(connection: psycopg.Connection[Any], backfill: Backfill, *, new_code_wrote: bool) -> bool:
    """Whether a row isn't right now. Reads the table, partitions included, without a lock that anybody feels."""
    query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE {})").format(
        qualified(backfill.table, backfill.table_schema), unfilled(backfill, new_code_wrote=new_code_wrote)
    )
    with connection.transaction():
        connection.execute("SET LOCAL statement_timeout = 0")
        connection.execute("SET LOCAL enable_seqscan = on")
        found = connection.execute(query).fetchone()
    return bool(found and found[0])
