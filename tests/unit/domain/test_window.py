from __future__ import annotations

from datetime import timedelta

import pytest

from expandcontract.domain.colour import Router
from expandcontract.domain.window import Window, windows
from tests.unit.domain.samples import DAY, NOW, WINDOW, moved, release

OLD = release("41", "77aa")
NEW = release("42", "77aa", "8c1f")
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("passed", "is_open"),
    [
        (timedelta(), True),
        (WINDOW - SECOND, True),
        (WINDOW, False),  # the length has passed: it no longer holds
        (WINDOW + SECOND, False),
        (-DAY, True),  # a clock that went back
    ],
)
def test_a_window_is_open_until_its_length_has_passed(passed: timedelta, is_open: bool) -> None:
    assert Window("41", NOW, WINDOW).is_open(NOW + passed) is is_open


def test_a_window_of_no_length_closes_at_once() -> None:
    assert not Window("41", NOW, timedelta()).is_open(NOW)


def test_a_release_that_lacks_the_change_holds_from_its_last_traffic() -> None:
    router = moved(OLD, NEW, NOW - 3 * DAY)

    [held, unwatched] = windows("8c1f", WINDOW, router, NOW)

    assert held == Window("41", NOW - 3 * DAY, WINDOW)
    assert held.closes_at == NOW + 11 * DAY
    assert unwatched.release is None


def test_a_release_that_ships_the_change_holds_nothing() -> None:
    router = moved(NEW, NEW, NOW - 3 * DAY)

    assert [window.release for window in windows("8c1f", WINDOW, router, NOW)] == [None]


def test_a_release_that_never_had_traffic_holds_nothing() -> None:
    router = moved(NEW, NEW, NOW - 3 * DAY).deploy("canary", OLD, NOW)

    assert [window.release for window in windows("8c1f", WINDOW, router, NOW)] == [None]


def test_a_live_release_has_no_window_yet() -> None:
    router = moved(NEW, OLD, NOW - 3 * DAY)

    assert [window.release for window in windows("8c1f", WINDOW, router, NOW)] == [None]


def test_what_ran_before_the_ledger_watched_holds_as_well() -> None:
    router = Router().deploy("green", NEW, NOW - 9 * DAY).shift({"green": 100}, NOW - 2 * DAY)

    assert windows("8c1f", WINDOW, router, NOW) == (Window(None, NOW - 2 * DAY, WINDOW),)


def test_nothing_holds_before_any_traffic() -> None:
    assert windows("8c1f", WINDOW, Router().deploy("green", OLD, NOW), NOW) == ()


def test_a_retired_release_still_holds() -> None:
    router = moved(OLD, NEW, NOW - 3 * DAY).retire("blue", NOW)

    assert windows("8c1f", WINDOW, router, NOW)[0] == Window("41", NOW - 3 * DAY, WINDOW)


def test_the_last_window_to_close_comes_first() -> None:
    older = release("40")
    router = moved(older, OLD, NOW - 9 * DAY, since=NOW - 12 * DAY).deploy("blue", NEW, NOW - 4 * DAY)
    router = router.shift({"blue": 100}, NOW - 4 * DAY)

    assert [window.release for window in windows("8c1f", WINDOW, router, NOW)] == ["41", "40", None]


def test_a_release_returning_to_traffic_reopens_its_window_when_it_leaves_again() -> None:
    router = moved(OLD, NEW, NOW - 20 * DAY)
    assert not windows("8c1f", WINDOW, router, NOW)[0].is_open(NOW)

    back = router.shift({"blue": 100}, NOW)
    assert [window.release for window in windows("8c1f", WINDOW, back, NOW + DAY)] == [None]

    gone = back.shift({"green": 100}, NOW + 2 * DAY)
    assert windows("8c1f", WINDOW, gone, NOW + 3 * DAY)[0] == Window("41", NOW + 2 * DAY, WINDOW)


def test_a_window_that_was_closed_early_holds_no_more_unless_there_was_traffic_since() -> None:
    router = moved(OLD, NEW, NOW - 3 * DAY)

    closed = windows("8c1f", WINDOW, router, NOW, closed_at=NOW - 2 * DAY)
    assert [window.is_open(NOW) for window in closed] == [False, False]

    back = router.shift({"blue": 100}, NOW - DAY).shift({"green": 100}, NOW)
    [held, before] = windows("8c1f", WINDOW, back, NOW, closed_at=NOW - 2 * DAY)
    assert (held.release, held.is_open(NOW), before.is_open(NOW)) == ("41", True, False)


def test_a_closing_in_the_future_of_a_clock_that_went_back_counts_for_nothing() -> None:
    router = moved(OLD, NEW, NOW - 3 * DAY)

    assert windows("8c1f", WINDOW, router, NOW, closed_at=NOW + SECOND)[0].is_open(NOW)
