"""How well a window was watched."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from expandcontract.domain.watching import Stretch, Watching, continues
from tests.unit.domain.samples import DAY, NOW

GAP = timedelta(minutes=10)
SECOND = timedelta(seconds=1)


def watching(*stretches: tuple[float, float], needed: float = 0.95) -> Watching:
    """Stretches from so many days ago until so many days ago."""
    return Watching(tuple(Stretch(NOW - began * DAY, NOW - ended * DAY) for began, ended in stretches), needed)


@pytest.mark.parametrize(
    ("stretches", "share"),
    [
        ((), 0.0),
        (((10, 0),), 1.0),
        (((20, 0),), 1.0),
        (((10, 5),), 0.5),
        (((20, 15),), 0.0),
        (((10, 6), (5, 0)), 0.9),
        (((12, 9), (8, 8), (2, 1)), 0.2),
    ],
)
def test_the_share_of_a_window_that_lies_in_stretches(stretches: tuple[tuple[float, float], ...], share: float) -> None:
    assert watching(*stretches).share(NOW - 10 * DAY, NOW) == pytest.approx(share)


def test_a_window_without_length_was_watched() -> None:
    assert watching().share(NOW, NOW) == 1.0


def test_looks_belong_together_within_the_gap_and_where_they_come_out_alike() -> None:
    last = Stretch(NOW - DAY, NOW)

    assert continues(last, NOW + GAP, is_known=True, gap=GAP)
    assert not continues(last, NOW + GAP + SECOND, is_known=True, gap=GAP)
    assert not continues(last, NOW + SECOND, is_known=False, gap=GAP)
    assert not continues(last, NOW - SECOND, is_known=True, gap=GAP), "the clock went back"
    assert not continues(None, NOW, is_known=True, gap=GAP)


@given(
    st.lists(st.integers(0, 1_300_000), max_size=12, unique=True).map(sorted),
    st.integers(1, 1_209_600),
    st.floats(0, 1),
)
def test_a_window_is_watched_enough_when_it_was_said_to_be_and_not_earlier(
    ends: list[int], seconds: int, needed: float
) -> None:
    moments = [NOW - timedelta(seconds=ago) for ago in reversed(ends)]
    stretches = tuple(Stretch(*pair) for pair in zip(moments[::2], moments[1::2], strict=False))
    length = timedelta(seconds=seconds)
    enough_at = Watching(stretches, needed).enough_at(length, NOW)
    assume(enough_at > NOW)

    after = Watching((*stretches, Stretch(NOW, enough_at)), needed)
    sooner = enough_at - SECOND
    tolerance = 4e-6 / seconds  # moments have microseconds

    assert after.share(enough_at - length, enough_at) >= needed - tolerance
    if sooner > NOW:
        before = Watching((*stretches, Stretch(NOW, sooner)), needed)
        assert before.share(sooner - length, sooner) <= needed + tolerance
