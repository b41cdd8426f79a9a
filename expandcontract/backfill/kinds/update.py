"""``Backfill(sync)`` and ``set=``: SQL expressions over the row, in one UPDATE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from expandcontract.backfill.ranges import RangeStatements
from expandcontract.database.backfill_records import KeyValue
from expandcontract.database.expressions import assignments
from expandcontract.database.own_statements import OwnRawCursor
from expandcontract.domain.change import Backfill


@dataclass(frozen=True)
class UpdateOfRange:
    """
    An UPDATE of rows of a range, as a `Write`.

    ``needy`` is the condition on a row that isn't right yet. ``$1`` stands for the first of ``parameters`` and so on,
    because a column's name may have a per cent sign.
    """

    connection: psycopg.Connection[Any]
    update: sql.Composed
    needy: sql.Composable
    parameters: tuple[list[str | None], ...] = ()

    def run(self) -> int:
        """See `Write`."""
        return self._execute(self.update).rowcount

    def run_and_judge(self) -> tuple[int, bool]:
        """See `Write`; asked in the UPDATE itself, for without a key nobody knows where its rows are afterwards."""
        query = "WITH ec_filled AS ({} RETURNING ({}) AS still) SELECT count(*), bool_and(still) FROM ec_filled"
        found = self._execute(sql.SQL(query).format(self.update, self.needy)).fetchone()
        written, still = found or (0, False)
        return int(written), bool(still)

    def _execute(self, query: sql.Composed) -> OwnRawCursor:
        return OwnRawCursor(self.connection).execute(query, self.parameters or None)


class Update:
    """See `Kind`."""

    def __init__(self, connection: psycopg.Connection[Any], backfill: Backfill) -> None:
        self._connection = connection
        self._assignments = assignments(backfill.assignments)

    def prepare(self, statements: RangeStatements, lower: KeyValue | None, upper: KeyValue) -> UpdateOfRange:
        """The server computes the values from each row as it is when its turn comes, so nothing is prepared."""
        update = sql.SQL("UPDATE {} SET {} WHERE {}").format(
            statements.table, self._assignments, statements.needy_within(lower, upper)
        )
        return UpdateOfRange(self._connection, update, statements.needy)
