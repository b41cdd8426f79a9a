"""
``transform=``: a Python function over a batch of rows, which are read at once and written back at once.

No transaction is open and no row is locked while the function runs: it may call a service. A row that somebody
changes meanwhile is another version of itself, with another place (ctid) or another creator (xmin), and so isn't
written back with values that were computed from the old one. Those few are then locked, read and computed once more:
else a row that the application changes all the time would never be filled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.adapt import PyFormat, Transformer

from expandcontract.backfill.kinds.kind import AuthorsMistake, CannotFill
from expandcontract.backfill.kinds.update import UpdateOfRange
from expandcontract.backfill.ranges import RangeStatements
from expandcontract.database import catalog
from expandcontract.database.backfill_records import KeyValue
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.domain.change import Backfill, Transform

Row = Mapping[str, Any]


_AS_THEY_ARE = sql.SQL("")
_LOCKED = sql.SQL(" FOR NO KEY UPDATE")


@dataclass(frozen=True)
class TransformedRange:
    """The computed values of a range's rows, as a `Write`; `again` computes those of rows that are left, locked."""

    first: UpdateOfRange
    again: Callable[[], UpdateOfRange]

    def run(self) -> int:
        """See `Write`."""
        return self._and_the_rest(self.first.run())

    def run_and_judge(self) -> tuple[int, bool]:
        """See `Write`."""
        written, in_vain = self.first.run_and_judge()
        return (written, in_vain) if in_vain else (self._and_the_rest(written), False)

    def _and_the_rest(self, written: int) -> int:
        places, *_ = self.first.parameters
        return written if written == len(places) else written + self.again().run()


class Transforming:
    """See `Kind`."""

    def __init__(self, connection: psycopg.Connection[Any], backfill: Backfill, function: Transform) -> None:
        self._connection = connection
        self._function = function
        self._reads = backfill.reads
        self._fills = backfill.fills
        self._types = catalog.bare_types(PsycopgExecutor(connection), backfill.table, backfill.table_schema)

    def prepare(self, statements: RangeStatements, lower: KeyValue | None, upper: KeyValue) -> TransformedRange:
        """Read the rows that need it, and let the function compute their values."""
        condition = statements.needy_within(lower, upper)
        first = self._computed_update(statements, condition, _AS_THEY_ARE)
        return TransformedRange(first, lambda: self._computed_update(statements, condition, _LOCKED))

    def _computed_update(self, statements: RangeStatements, condition: sql.Composable, read: sql.SQL) -> UpdateOfRange:
        """The UPDATE of the rows for which the condition holds."""
        columns = [sql.SQL("ctid::text"), sql.SQL("xmin::text"), *map(statements.column, self._reads)]
        query = sql.SQL("SELECT {} FROM {} WHERE {}{}").format(
            sql.SQL(", ").join(columns), statements.table, condition, read
        )
        found = self._connection.execute(query).fetchall()
        places, versions = [row[0] for row in found], [row[1] for row in found]
        values = self._columns(self._computed([dict(zip(self._reads, row[2:], strict=True)) for row in found]))
        parameters = (places, versions, *values)
        return UpdateOfRange(self._connection, self._write_back(statements), statements.needy, parameters)

    def _computed(self, rows: list[Row]) -> Sequence[Row]:
        if not rows:
            return []
        try:
            computed = self._function(rows)
        except OSError:
            raise
        except Exception as error:
            raise CannotFill(f"{type(error).__name__}: {error}") from error
        if not isinstance(computed, Sequence) or len(computed) != len(rows):
            got = f"{len(computed)} results" if isinstance(computed, Sequence) else f"a {type(computed).__name__}"
            raise AuthorsMistake(
                f"transform got {len(rows)} rows and returned {got}: it must return a list with a mapping for each row"
            )
        return computed

    def _columns(self, computed: Sequence[Row]) -> list[list[str | None]]:
        """The values of each column as the server reads them, whatever type they have."""
        dumpers, encoding = Transformer(self._connection), self._connection.info.encoding

        def as_text(value: Any) -> str | None:
            if value is None or type(value) is str:
                return value
            dumped = dumpers.get_dumper(value, PyFormat.TEXT).dump(value)
            return None if dumped is None else bytes(dumped).decode(encoding)

        try:
            return [[as_text(row[name]) for row in computed] for name in self._fills]
        except (KeyError, TypeError) as error:
            wanted = ", ".join(self._fills)
            raise AuthorsMistake(f"transform must return a mapping of {wanted} for each row: no {error}") from error
        except psycopg.ProgrammingError as error:
            raise AuthorsMistake(f"transform returned a value that PostgreSQL has no type for: {error}") from error

    def _write_back(self, statements: RangeStatements) -> sql.Composed:
        """A cast to the type without its length, so that a value which is too long is refused rather than cut."""
        values = [sql.Identifier(f"ec_value_{number}") for number, _ in enumerate(self._fills, 1)]
        assigned = sql.SQL(", ").join(
            sql.SQL("{} = CAST(ec_new.{} AS {})").format(
                sql.Identifier(name), value, sql.SQL(self._types.get(name, "text"))
            )
            for name, value in zip(self._fills, values, strict=True)
        )
        arrays = ["$1::tid[]", "$2::xid[]", *(f"${number}::text[]" for number, _ in enumerate(values, 3))]
        return sql.SQL(
            "UPDATE {table} SET {assigned} FROM unnest({arrays}) AS ec_new (ec_place, ec_version, {values})"
            " WHERE {place} = ec_place AND {version} = ec_version"
        ).format(
            table=statements.table,
            assigned=assigned,
            arrays=sql.SQL(", ").join(map(sql.SQL, arrays)),
            values=sql.SQL(", ").join(values),
            place=statements.column("ctid"),
            version=statements.column("xmin"),
        )
