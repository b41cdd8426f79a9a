"""Point 8: a Python function over the rows, beside an SQL expression that does the same."""

from __future__ import annotations

from collections.abc import Sequence

from expandcontract.domain.change import Backfill
from points.figure import Figure, Options, Row, median
from points.stage import TABLE, stage


def trivial(rows: Sequence[Row]) -> list[Row]:
    """The name as it is."""
    return [{"display_name": row["name"]} for row in rows]


_WHERE = "display_name IS NULL"
_WAYS = {
    "sql": Backfill(TABLE, set={"display_name": "name"}, where=_WHERE),
    "python": Backfill(TABLE, transform=trivial, reads=("name",), fills=("display_name",), where=_WHERE),
}


def measure(options: Options) -> list[Figure]:
    """Both in turns, on a table anew each time."""
    ratios = []
    with stage() as one:
        for number in range(options.rounds):
            seconds = {}
            for name in sorted(_WAYS, reverse=number % 2 == 0):
                one.make_table(options.rows)
                seconds[name] = one.timed(_WAYS[name]).seconds
            ratios.append(seconds["sql"] / seconds["python"])
    return [median(8, "a trivial Python function: rows/s to SQL's", ratios, least=0.3)]
