from __future__ import annotations

import pytest

from expandcontract.domain.colour import Colour, Router
from tests.unit.domain.samples import DAY, NOW, release

OLD = release("41", "77aa")
NEW = release("42", "77aa", "8c1f")
EARLY = NOW - 10 * DAY


def blue_live() -> Router:
    return Router().deploy("blue", OLD, EARLY).shift({"blue": 100}, EARLY)


@pytest.mark.parametrize(("weight", "is_live"), [(0, False), (1, True), (100, True)])
def test_a_colour_is_live_with_any_traffic(weight: int, is_live: bool) -> None:
    assert Colour("blue", "41", weight).is_live is is_live


def test_a_new_colour_is_deployed_without_traffic() -> None:
    router = Router().deploy("blue", OLD, NOW)

    assert router.colours == {"blue": Colour("blue", "41", 0)}
    assert router.live == ()
    assert router.last_traffic("41", NOW) is None
    assert router.watched_since is None


def test_the_ledger_watches_from_the_first_traffic_on() -> None:
    router = Router().deploy("blue", OLD, EARLY - DAY).shift({"blue": 100}, EARLY)

    assert router.watched_since == EARLY
    assert router.shift({}, NOW).shift({"blue": 1}, NOW + DAY).watched_since == EARLY


def test_a_live_release_has_its_last_traffic_now() -> None:
    assert blue_live().last_traffic("41", NOW) == NOW


def test_a_release_keeps_the_moment_at_which_it_lost_its_traffic() -> None:
    router = blue_live().deploy("green", NEW, NOW).shift({"green": 100}, NOW)

    assert router.last_traffic("41", NOW + DAY) == NOW
    assert router.last_traffic("42", NOW + DAY) == NOW + DAY


def test_a_shift_takes_the_traffic_of_colours_that_it_does_not_name() -> None:
    router = blue_live().deploy("green", NEW, NOW).shift({"green": 5, "blue": 95}, NOW)
    assert [(colour.name, colour.weight) for colour in router.live] == [("blue", 95), ("green", 5)]

    router = router.shift({"green": 100}, NOW)
    assert [(colour.name, colour.weight) for colour in router.live] == [("green", 100)]


def test_a_canary_makes_both_releases_live() -> None:
    router = blue_live().deploy("green", NEW, NOW).shift({"blue": 99, "green": 1}, NOW)

    assert [live.tag for live in router.live_releases] == ["41", "42"]
    assert router.last_traffic("41", NOW + DAY) == router.last_traffic("42", NOW + DAY) == NOW + DAY


def test_a_release_on_two_colours_is_live_while_one_of_them_is() -> None:
    both = Router().deploy("blue", OLD, EARLY).deploy("green", OLD, EARLY).shift({"blue": 50, "green": 50}, EARLY)
    assert [live.tag for live in both.live_releases] == ["41"]
    assert both.colours_of("41") == ("blue", "green")

    one = both.shift({"green": 100}, NOW)
    assert one.last_traffic("41", NOW + DAY) == NOW + DAY

    none = one.shift({}, NOW + DAY)
    assert none.last_traffic("41", NOW + 2 * DAY) == NOW + DAY


def test_a_deploy_onto_a_live_colour_moves_its_traffic() -> None:
    router = blue_live().deploy("blue", NEW, NOW)

    assert router.colours["blue"] == Colour("blue", "42", 100)
    assert router.last_traffic("41", NOW + DAY) == NOW
    assert router.last_traffic("42", NOW + DAY) == NOW + DAY
    assert router.releases["42"].last_traffic == NOW


def test_a_deploy_onto_a_live_colour_leaves_a_release_live_that_another_colour_still_runs() -> None:
    both = Router().deploy("blue", OLD, EARLY).deploy("green", OLD, EARLY).shift({"blue": 50, "green": 50}, EARLY)

    assert both.deploy("green", NEW, NOW).last_traffic("41", NOW + DAY) == NOW + DAY


def test_a_deploy_keeps_what_is_known_of_the_release() -> None:
    left = blue_live().deploy("green", NEW, NOW).shift({"green": 100}, NOW)

    again = left.deploy("violet", release("41", "77aa"), NOW + DAY)

    assert again.last_traffic("41", NOW + 2 * DAY) == NOW


def test_retiring_an_idle_colour_forgets_the_colour_and_remembers_the_release() -> None:
    router = blue_live().deploy("green", NEW, NOW).shift({"green": 100}, NOW).retire("blue", NOW + DAY)

    assert set(router.colours) == {"green"}
    assert router.last_traffic("41", NOW + DAY) == NOW
    assert router.colours_of("41") == ()


def test_retiring_a_live_colour_ends_its_traffic() -> None:
    router = blue_live().retire("blue", NOW)

    assert router.live == ()
    assert router.last_traffic("41", NOW + DAY) == NOW


def test_an_idle_move_does_not_touch_anybodys_last_traffic() -> None:
    left = blue_live().deploy("green", NEW, NOW).shift({"green": 100}, NOW)

    later = left.deploy("violet", release("43"), NOW + DAY).retire("violet", NOW + DAY)

    assert later.releases["41"].last_traffic == NOW
    assert later.releases["43"].last_traffic is None


@pytest.mark.parametrize(
    ("router", "ships", "is_another"),
    [
        (Router(), {"77aa"}, False),  # a new tag
        (blue_live(), {"77aa"}, False),  # the same build again
        (blue_live(), {"77aa", "8c1f"}, True),  # it has traffic
        (blue_live().shift({}, NOW), {"77aa", "8c1f"}, True),  # it had traffic
        (blue_live().retire("blue", NOW), {"77aa", "8c1f"}, True),
        (Router().deploy("blue", OLD, NOW), {"77aa", "8c1f"}, False),  # built again before anybody used it
        (Router().deploy("green", OLD, NOW), {"77aa", "8c1f"}, True),  # another colour runs the first build
    ],
)
def test_a_tag_that_counts_stands_for_one_build(router: Router, ships: set[str], is_another: bool) -> None:
    assert router.knows_another_build(release("41", *ships), "blue") is is_another
