"""What several witnesses together come to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expandcontract.domain.sighting import Look, TrafficState, percentages, sighting

KNOWN = ("blue", "green")
ROUTER = Look("router", "blue=90, green=10", {"blue": 90, "green": 10})
NOTHING = Look("router", "nothing within 5 s")


def test_one_colour_with_all_traffic_is_live() -> None:
    seen = sighting([Look("file", "green", {"green": 100})], needed=1, known=KNOWN)

    assert (seen.state, dict(seen.weights), seen.because) == (TrafficState.LIVE, {"green": 100}, None)


def test_several_with_traffic_are_mixed() -> None:
    assert sighting([ROUTER], needed=1, known=KNOWN).state is TrafficState.MIXED


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (NOTHING, "0 of 1 witnesses could be read: router says nothing within 5 s"),
        (Look("router", "gren", {"gren": 100}), "the ledger knows no colour 'gren'"),
        (Look("router", "blue=0", {"blue": 0}), "no colour has any weight"),
        (Look("router", "blue=-1", {"blue": -1, "green": 2}), "a weight below 0"),
    ],
)
def test_whatever_is_unclear_is_unknown(look: Look, words: str) -> None:
    seen = sighting([look], needed=1, known=KNOWN)

    assert seen.state is TrafficState.UNKNOWN
    assert seen.weights == {}
    assert words in str(seen.because)


def test_witnesses_that_name_different_colours_contradict_each_other() -> None:
    seen = sighting([ROUTER, Look("parameter", "'green'", {"green": 100})], needed=1, known=KNOWN)

    assert seen.state is TrafficState.UNKNOWN
    assert seen.because == (
        "the witnesses contradict each other: router says blue=90, green=10; parameter says 'green'"
    )


def test_one_that_cannot_be_read_counts_only_where_it_is_needed() -> None:
    other = Look("parameter", "'green'", {"green": 100})

    assert sighting([NOTHING, other], needed=1, known=KNOWN).state is TrafficState.LIVE
    assert sighting([NOTHING, other], needed=2, known=KNOWN).state is TrafficState.UNKNOWN


def test_the_longest_drain_counts() -> None:
    looks = [
        Look(name, "green", {"green": 1}, drain=timedelta(seconds=length)) for name, length in [("a", 30), ("b", 9)]
    ]

    assert sighting(looks, needed=2, known=KNOWN).drain == timedelta(seconds=30)


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 999), max_size=30).filter(lambda found: any(found.values())))
def test_percentages_are_100_together_and_keep_who_is_live(weights: dict[str, int]) -> None:
    found = percentages(weights)

    assert sum(found.values()) == 100
    assert {name for name, share in found.items() if share > 0} == {name for name, share in weights.items() if share}
