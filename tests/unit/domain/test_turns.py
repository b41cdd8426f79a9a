"""In how many turns a span of rows is written."""

from dataclasses import replace

import pytest

from expandcontract.domain.change import Backfill
from expandcontract.domain.turns import MOST, PARTS, SPREAD, Shape, fitting_turns, share_of

LARGE = Shape(pages=50_000, indexes=1, fillfactor=100, is_unindexed=True)


def test_a_large_table_is_written_in_turns():
    assert fitting_turns(LARGE) > 1


@pytest.mark.parametrize("turns", range(1, MOST + 1))
def test_every_part_has_one_turn_and_the_first_turn_has_the_most(turns):
    shares = [share_of(turn, turns) for turn in range(turns)]

    assert [part for first, last in shares for part in range(first, last + 1)] == list(range(PARTS))
    assert max(shares, key=lambda share: share[1] - share[0]) == shares[0]


def test_neighbours_have_parts_far_apart():
    """So that each page, which has some dozens of rows, has about as many of each turn as its share says."""
    for begins in range(0, 1000, 7):
        page = [(key % PARTS) * SPREAD % PARTS for key in range(begins, begins + 36)]
        for turn in range(6):
            first, last = share_of(turn, 6)
            rows = sum(first <= part <= last for part in page)
            assert abs(rows - 36 * (last - first + 1) / PARTS) <= 1.5


@pytest.mark.parametrize(
    "different",
    [{"pages": 10}, {"indexes": 0}, {"fillfactor": 45}, {"is_unindexed": False}],
    ids=["small", "no index to spare", "has room already", "its own index is written anyway"],
)
def test_one_turn_where_more_gain_nothing(different):
    assert fitting_turns(replace(LARGE, **different)) == 1


@pytest.mark.parametrize("turns", [0, 17])
def test_an_author_may_choose_within_bounds(turns):
    with pytest.raises(ValueError, match="turns are 1 to 16"):
        Backfill("users", set={"a": "b"}, turns=turns)
