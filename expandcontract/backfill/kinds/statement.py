"""``sql=``: a statement of the author's own, limited to one range: with joins, into another table, or to clean up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from expandcontract.backfill.ranges import RangeStatements
from expandcontract.database.backfill_records import KeyValue
from expandcontract.domain.change import RANGE


@dataclass(frozen=True)
class StatementOverRange:
    """The statement, as a `Write`; ``count_needy`` counts the range's rows that aren't right."""

    connection: psycopg.Connection[Any]
    statement: sql.Composed
    count_needy: sql.Composed

    def run(self) -> int:
        """See `Write`; what the statement itself counts, be it rows of another table."""
        return max(0, self.connection.execute(self.statement).rowcount)

    def run_and_judge(self) -> tuple[int, bool]:
        """See `Write`."""
        before, written, after = self._needy(), self.run(), self._needy()
        return written, after >= before > 0

    def _needy(self) -> int:
        found = self.connection.execute(self.count_needy).fetchone()
        return int(found[0]) if found else 0


class Statement:
    """See `Kind`."""

    def __init__(self, connection: psycopg.Connection[Any], text: str) -> None:
        self._connection = connection
        self._first, *self._rest = (sql.SQL(piece) for piece in RANGE.split(text))

    def prepare(self, statements: RangeStatements, lower: KeyValue | None, upper: KeyValue) -> StatementOverRange:
        """The statement names the whole table, so the condition says in which of its partitions the range is."""
        condition = sql.SQL("({} AND {})").format(statements.is_in_stretch, statements.within(lower, upper))
        statement = sql.Composed([self._first, *(part for piece in self._rest for part in (condition, piece))])
        return StatementOverRange(self._connection, statement, statements.count_needy(lower, upper))
