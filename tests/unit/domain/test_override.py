from __future__ import annotations

import pytest

from expandcontract.domain.override import NOTHING, OVERRIDABLE, Override
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal
from expandcontract.domain.step import Step


def no(code: Code) -> Refusal:
    return Refusal(Step("8c1f", Phase.CONTRACT), "rename", code, because=f"it is {code}", next="wait")


def test_what_is_named_counts_for_nothing_and_the_rest_stands() -> None:
    found = [no(Code.WINDOW_OPEN), no(Code.SESSION), no(Code.LIVE_LACKS)]
    override = Override(frozenset({Code.WINDOW_OPEN, Code.ALERT}), "nobody goes back")

    assert override.standing(found) == (found[1], found[2])
    assert override.overridden(found) == (found[0],)
    assert override.on_record(found) == {"overrides": ["window-open: it is window-open"], "reason": "nobody goes back"}


def test_without_a_word_everything_stands_and_nothing_is_recorded() -> None:
    found = (no(Code.WINDOW_OPEN),)

    assert NOTHING.standing(found) == found
    assert NOTHING.on_record(found) == {}


@pytest.mark.parametrize(
    "code",
    [
        Code.NOT_EXPANDED,
        Code.NOT_BACKFILLED,
        Code.ROWS_LEFT,
        Code.SET_ASIDE,
        Code.LIVE_LACKS,
        Code.NO_LIVE_COLOUR,
        Code.TRAFFIC_UNKNOWN,
        Code.CUTOVER,
        Code.CLOCK,
        Code.SPLIT_BRAIN,
        Code.FAILOVER,
        Code.OLD_TREE,
        Code.EDITED,
    ],
)
def test_readiness_and_the_truth_about_traffic_are_nobodys_to_decide(code: Code) -> None:
    assert code not in OVERRIDABLE
