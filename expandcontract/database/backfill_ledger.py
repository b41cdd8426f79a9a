"""The ledger's part for backfills: where each one is, range by range."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from expandcontract.database.executor import Executor
from expandcontract.database.queries import queries

KeyValue = tuple[str, ...]


@dataclass(frozen=True)
class Position:
    """
    How far a backfill is: the pass, its end (fixed when the pass began) and the upper key of the last finished range.

    Key values are their text, in key order. ``last_key`` None: the table was empty.
    """

    revision: str
    relation: str
    key_columns: tuple[str, ...]
    key_types: tuple[str, ...]
    last_key: KeyValue | None
    number_of_pass: int
    estimated_rows: int
    started_at: datetime | None
    upper_key: KeyValue | None = None
    ranges: int = 0
    rows_seen: int = 0
    rows_written: int = 0

    @property
    def is_at_end(self) -> bool:
        """Whether the last range of the pass is finished."""
        return self.last_key is None or self.upper_key == self.last_key


class BackfillLedger:
    """Reads and writes positions and ranges, in whatever transaction the executor has."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def positions(self) -> dict[str, Position]:
        """Every backfill that has begun, by revision."""
        rows = self._executor.rows(queries("ledger")["backfills"])
        return {row[0]: _position(row) for row in rows}

    def begin_pass(self, position: Position) -> None:
        """Record a backfill that begins, or begins its next pass."""
        self._executor.rows(
            queries("ledger")["put_backfill"],
            {
                "revision": position.revision,
                "relation": position.relation,
                "key_columns": list(position.key_columns),
                "key_types": list(position.key_types),
                "last_key": list(position.last_key) if position.last_key is not None else None,
                "pass": position.number_of_pass,
                "estimated_rows": position.estimated_rows,
            },
        )

    def finish_range(
        self, position: Position, upper: KeyValue, *, rows_seen: int, rows_written: int, seconds: float
    ) -> None:
        """Record a range in the transaction that wrote its rows."""
        self._executor.rows(
            queries("ledger")["put_range"],
            {
                "revision": position.revision,
                "pass": position.number_of_pass,
                "number": position.ranges + 1,
                "upper_key": list(upper),
                "rows_seen": rows_seen,
                "rows_written": rows_written,
                "seconds": seconds,
            },
        )


def _position(row: tuple[Any, ...]) -> Position:
    revision, relation, columns, types, last, number, estimate, started, upper, ranges, seen, written = row
    return Position(
        revision=revision,
        relation=relation,
        key_columns=tuple(columns),
        key_types=tuple(types),
        last_key=None if last is None else tuple(last),
        number_of_pass=number,
        estimated_rows=estimate,
        started_at=started,
        upper_key=None if upper is None else tuple(upper),
        ranges=ranges,
        rows_seen=seen,
        rows_written=written,
    )
