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
_FITTING = 6  # leaves a quarter of the dead space behind; more turns read more than they save
MOST = 16

PARTS = 64  # into which rows are told apart by a number, that of their key; each turn has some of them
SPREAD = 39  # a part's number times this, modulo the parts: neighbours are then in different turns
_FIRST_HAS_MORE = 1.3  # times what a later turn has, as new versions are often larger than old ones


@dataclass(frozen=True)
class Shape:
    """
    What a table is like.

    ``fillfactor`` is the percentage to which inserts fill a page. `is_unindexed` where no index has to do with the
    columns that are written; otherwise each new version needs entries in all indexes, wherever it is.
    """

    pages: int
    indexes: int
    fillfactor: int
    is_unindexed: bool


def fitting_turns(shape: Shape) -> int:
    """
    The number of turns that pays; 1 where none does.

    Each turn reads the span once more, which costs a twentieth of writing it where there is one index, and less where
    there are more. Measured by ``benchmarks/backfill.py``.
    """
    pays = shape.is_unindexed and shape.indexes > 0 and shape.pages >= _SMALL and shape.fillfactor > _HAS_ROOM
    return _FITTING if pays else 1


def share_of(turn: int, turns: int) -> tuple[int, int]:
    """The first and the last of the parts that a turn has; the first turn, which makes the room, has more of them."""
    each = max(1, int(PARTS / (turns - 1 + _FIRST_HAS_MORE)))
    first = PARTS - (turns - 1) * each
    if turn == 0:
        return 0, first - 1
    begins = first + (turn - 1) * each
    return begins, begins + each - 1
