"""The statements over one range of a stretch: ``(lower, upper]``, found by a walk over the key's index alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from expandcontract.database.backfill_records import KeyValue, Stretch
from expandcontract.database.catalog import Key, regclass
from expandcontract.database.expressions import qualified
from expandcontract.domain.change import Backfill
from expandcontract.domain.turns import PARTS, SPREAD, share_of

# Number by which a row's turn is told, by the type of the last column of its key: the same in every session, and as
# evenly spread as may be among the rows of a page. Keys of other types have one turn.
_NUMBERS = {
    "smallint": sql.SQL("{}"),
    "integer": sql.SQL("{}"),
    "bigint": sql.SQL("{}"),
    "uuid": sql.SQL("uuid_hash({})"),
    "text": sql.SQL("hashtext({})"),
}


def has_turns(key: Key) -> bool:
    """Whether the rows of a span can be told apart by turns."""
    return key.types[-1] in _NUMBERS


@dataclass(frozen=True)
class Walk:
    """
    What a backfill asks one of the tables that hold its rows, to find its ranges.

    Key values travel as text and are cast to the key's types, so that any type with an order will do. The bounds are
    row comparisons, which an index on the key answers without statistics
    (https://www.postgresql.org/docs/current/functions-comparisons.html#ROW-WISE-COMPARISON); for a ctid they make a
    TID Range Scan. A partition goes by its parent's name, so that the author's expressions may use it.
    """

    backfill: Backfill
    stretch: Stretch

    @property
    def table(self) -> sql.Composed:
        """For a FROM clause: the stretch alone, under the whole table's name."""
        table = qualified(self.stretch.relation, self.stretch.schema)
        return sql.SQL("ONLY {} AS {}").format(table, sql.Identifier(self.backfill.table))

    @property
    def _columns(self) -> sql.Composed:
        return sql.SQL(", ").join(self.column(name) for name in self.stretch.key.columns)

    @property
    def _key_as_text(self) -> sql.Composed:
        return sql.SQL(", ").join(sql.SQL("{}::text").format(self.column(name)) for name in self.stretch.key.columns)

    @property
    def is_in_stretch(self) -> sql.Composed:
        """The condition on a row of the whole table to be in this stretch: the key alone doesn't tell the partition."""
        return sql.SQL("{} = {}::regclass").format(
            self.column("tableoid"), sql.Literal(regclass(self.stretch.relation, self.stretch.schema))
        )

    def column(self, name: str) -> sql.Identifier:
        """With its table: a bare name in ORDER BY would mean the output column, which is text and sorts as text."""
        return sql.Identifier(self.backfill.table, name)

    def last_key(self) -> sql.Composed:
        """The highest key of the table, as text."""
        order = sql.SQL(", ").join(sql.SQL("{} DESC").format(self.column(name)) for name in self.stretch.key.columns)
        return sql.SQL("SELECT {} FROM {} ORDER BY {} LIMIT 1").format(self._key_as_text, self.table, order)

    def nth_key(self, lower: KeyValue | None, upper: KeyValue, rows: int) -> sql.Composed:
        """The key of the row that is `rows` rows above `lower`; no row where fewer are left."""
        # the text is made of the one key that is wanted, not of all that are walked past
        return sql.SQL("SELECT {} FROM (SELECT {} FROM {} WHERE {} ORDER BY {} OFFSET {} LIMIT 1) AS {}").format(
            self._key_as_text,
            self._columns,
            self.table,
            self.within(lower, upper),
            self._columns,
            sql.Literal(rows - 1),
            sql.Identifier(self.backfill.table),
        )

    def count(self, lower: KeyValue | None, upper: KeyValue) -> sql.Composed:
        """How many rows the range has."""
        return sql.SQL("SELECT pg_catalog.count(*) FROM {} WHERE {}").format(self.table, self.within(lower, upper))

    def within(self, lower: KeyValue | None, upper: KeyValue) -> sql.Composed:
        """The condition on a row of the stretch to be above `lower` and at most `upper`."""
        at_most = sql.SQL("({}) <= ({})").format(self._columns, self._values(upper))
        if lower is None:
            return at_most
        return sql.SQL("({}) > ({}) AND {}").format(self._columns, self._values(lower), at_most)

    def _values(self, values: Sequence[str]) -> sql.Composed:
        return sql.SQL(", ").join(
            sql.SQL("{}::{}").format(sql.Literal(value), sql.SQL(type_))
            for value, type_ in zip(values, self.stretch.key.types, strict=True)
        )


@dataclass(frozen=True)
class RangeStatements(Walk):
    """What a backfill tells that table, in one turn; `needy` is the condition on a row that isn't right yet."""

    needy: sql.Composable
    turn: int = 0

    def within(self, lower: KeyValue | None, upper: KeyValue) -> sql.Composed:
        """See `Walk.within`; of the rows of the turn alone."""
        span = super().within(lower, upper)
        if self.stretch.turns == 1:
            return span
        key, (first, last) = self.stretch.key, share_of(self.turn, self.stretch.turns)
        number = _NUMBERS[key.types[-1]].format(self.column(key.columns[-1]))
        return sql.SQL("{} AND abs(mod(mod({}, {parts}) * {spread}, {parts})) BETWEEN {} AND {}").format(
            span,
            number,
            sql.Literal(first),
            sql.Literal(last),
            parts=sql.Literal(PARTS),
            spread=sql.Literal(SPREAD),
        )

    def needy_within(self, lower: KeyValue | None, upper: KeyValue) -> sql.Composed:
        """
        The condition on a row of the range that isn't right yet.

        As a CASE it is no condition that an index answers: one on the column that is filled would find all rows that
        aren't right, of the whole table.
        """
        return sql.SQL("{} AND CASE WHEN {} THEN true ELSE false END").format(self.within(lower, upper), self.needy)

    def count_needy(self, lower: KeyValue | None, upper: KeyValue) -> sql.Composed:
        """How many rows of the range aren't right yet."""
        return sql.SQL("SELECT pg_catalog.count(*) FROM {} WHERE {}").format(
            self.table, self.needy_within(lower, upper)
        )
