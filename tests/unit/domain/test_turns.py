"""In how many turns a span of rows is written."""

from dataclasses import replace

import pytest

from expandcontract.domain.change import Backfill
from expandcontract.domain.turns import Shape, fitting_turns

LARGE = Shape(pages=50_000, indexes=1, fillfactor=100, is_index_free=True)


def test_a_large_table_is_written_in_turns_and_in_more_of_them_where_indexes_make_a_row_dear():
    assert fitting_turns(LARGE) > 1
    assert fitting_turns(replace(LARGE, indexes=4)) > fitting_turns(LARGE)


@pytest.mark.parametrize(
    "different",
    [{"pages": 10}, {"indexes": 0}, {"fillfactor": 45}, {"is_index_free": False}],
    ids=["small", "no index to spare", "has room already", "its own index is written anyway"],
)
def test_one_turn_where_more_gain_nothing(different):
    assert fitting_turns(replace(LARGE, **different)) == 1


@pytest.mark.parametrize("turns", [0, 17])
def test_an_author_may_choose_within_bounds(turns):
    with pytest.raises(ValueError, match="turns are 1 to 16"):
        Backfill("users", set={"a": "b"}, turns=turns)
