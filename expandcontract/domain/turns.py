"""
In how many turns a span of rows is written, so that the rows of a later turn find room on their own page.

An UPDATE leaves the old version of each row behind. Once its transaction is over, PostgreSQL clears old versions away
as soon as somebody comes to the page again, and a new version that finds room on the page of the old one needs no
entry in any index (https://www.postgresql.org/docs/current/storage-hot.html). So the first turn, which writes every
fourth row or so, makes room for the second, and that one for the third.
"""

from __future__ import annotations

from dataclasses import dataclass

_SMALL = 1000  # pages (8 MB): nothing to gain
_HAS_ROOM = 60  # per cent: below it a page has room for most of its rows' next versions from the start
_FEW_INDEXES, _TURNS = 2, 4
_TURNS_OF_MANY_INDEXES = 8
MOST = 16


@dataclass(frozen=True)
class Shape:
    """
    What a table is like.

    ``fillfactor`` is the percentage to which inserts fill a page. `is_index_free` where no index has to do with the
    columns that are written; otherwise each new version needs entries in all indexes, wherever it is.
    """

    pages: int
    indexes: int
    fillfactor: int
    is_index_free: bool


def fitting_turns(shape: Shape) -> int:
    """
    The number of turns that pays; 1 where none does.

    Each turn reads the span once more, which costs a tenth of writing it where there is one index, and less where
    there are more. Measured by ``benchmarks/backfill.py``.
    """
    if not shape.is_index_free or shape.indexes == 0 or shape.pages < _SMALL or shape.fillfactor <= _HAS_ROOM:
        return 1
    return _TURNS if shape.indexes <= _FEW_INDEXES else _TURNS_OF_MANY_INDEXES
