from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expandcontract.domain.history import in_order

MERGED = {"base": (), "trunk": ("base",), "hotfix": ("base",), "merge": ("trunk", "hotfix")}


def test_a_linear_history_is_in_the_order_of_its_links() -> None:
    assert in_order({"3": ("2",), "1": (), "2": ("1",)}, ()) == ("1", "2", "3")


def test_of_two_branches_the_applied_one_comes_first() -> None:
    assert in_order(MERGED, {"base"}) == ("base", "trunk", "hotfix", "merge")
    assert in_order(MERGED, {"base", "hotfix"}) == ("base", "hotfix", "trunk", "merge")


def test_a_revision_that_is_named_twice_as_applied_is_applied_once() -> None:
    assert in_order(MERGED, ("base", "hotfix", "hotfix")) == ("base", "hotfix", "trunk", "merge")


def test_what_was_put_below_an_applied_revision_comes_before_it_all_the_same() -> None:
    assert in_order({"1": (), "late": ("1",), "2": ("late",)}, {"1", "2"}) == ("1", "late", "2")


def test_a_parent_outside_the_tree_holds_nothing_up() -> None:
    assert in_order({"2": ("squashed",)}, ()) == ("2",)


def test_a_cycle_is_named() -> None:
    with pytest.raises(ValueError, match="cycle among a, b"):
        in_order({"a": ("b",), "b": ("a",)}, ())


@given(st.lists(st.sets(st.integers(0, 11), max_size=3), max_size=12), st.sets(st.integers(0, 11)))
def test_every_revision_comes_once_and_after_its_parents(links: list[set[int]], applied: set[int]) -> None:
    parents = {str(n): tuple(str(parent) for parent in above if parent < n) for n, above in enumerate(links)}

    ordered = in_order(parents, {str(n) for n in applied})

    assert sorted(ordered) == sorted(parents)
    for position, revision in enumerate(ordered):
        assert set(parents[revision]) <= set(ordered[:position])
