from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expandcontract.domain.throttle import LEAST, Level, Limits, Throttle, Verdict

RECORDED = json.loads((Path(__file__).parents[2] / "data" / "disturbances.json").read_text())
MB = 1024 * 1024

levels = st.sampled_from(Level)
names = st.sampled_from("abc")
verdicts = st.lists(st.builds(Verdict, names, levels, st.just("")), max_size=5, unique_by=lambda one: one.signal)
lengths = st.floats(0.01, 10)
looks = st.lists(st.tuples(verdicts, lengths), max_size=40)
limits = st.tuples(st.floats(1, 1e6), st.floats(1, 1e6)).map(lambda both: Limits(min(both), max(both)))


def after(looks: Sequence[tuple[Sequence[Verdict], float]], throttle: Throttle | None = None) -> Throttle:
    throttle = throttle or Throttle()
    for seen, seconds in looks:
        throttle = throttle.after(seen, seconds)
    return throttle


def said(level: Level, signal: str = "a") -> list[Verdict]:
    return [Verdict(signal, level, "")]


@given(looks)
def test_a_share_is_always_between_the_least_and_the_whole(looks: list[tuple[list[Verdict], float]]) -> None:
    assert 0 < LEAST <= after(looks).share <= 1.0


@given(looks, verdicts, lengths)
def test_what_is_over_its_limit_stops_the_backfill_at_once(
    looks: list[tuple[list[Verdict], float]], seen: list[Verdict], seconds: float
) -> None:
    over = {verdict.about for verdict in seen if verdict.level is Level.OVER}

    assert after(looks).after(seen, seconds).stopped_by >= over


@given(looks, verdicts, lengths)
def test_a_stop_lasts_until_its_own_signal_is_calm(
    looks: list[tuple[list[Verdict], float]], seen: list[Verdict], seconds: float
) -> None:
    before = after(looks)
    calm = {verdict.about for verdict in seen if verdict.level is Level.CALM}
    heard = {verdict.about for verdict in seen}

    assert (before.stopped_by & heard) - calm <= before.after(seen, seconds).stopped_by
    assert not before.after(seen, seconds).stopped_by & calm


@given(looks, verdicts, lengths)
def test_the_share_only_grows_while_all_is_calm_and_only_shrinks_under_strain(
    looks: list[tuple[list[Verdict], float]], seen: list[Verdict], seconds: float
) -> None:
    before = after(looks)
    now = before.after(seen, seconds)
    worst = max((verdict.level for verdict in seen), default=Level.CALM)

    if now.share > before.share:
        assert worst is Level.CALM
    if now.share < before.share:
        assert worst >= Level.STRAINED
    if worst is Level.NEAR:
        assert now.share == before.share


@given(looks, st.integers(1, 200))
def test_calm_brings_the_whole_speed_back(looks: list[tuple[list[Verdict], float]], more: int) -> None:
    assert after([(said(Level.CALM), 1.0)] * 20, after(looks)).share == pytest.approx(1.0)


@given(looks)
def test_speed_comes_back_slowly_and_goes_quickly(looks: list[tuple[list[Verdict], float]]) -> None:
    throttle = after(looks)
    if throttle.is_stopped or throttle.share == LEAST:
        return

    lost = throttle.share - throttle.after(said(Level.STRAINED), 1.0).share
    won = throttle.after(said(Level.CALM), 1.0).share - throttle.share

    assert won <= 0.05 + 1e-9
    assert lost >= min(0.3 * throttle.share, throttle.share - LEAST) - 1e-9


@given(limits, st.floats(0, 2e6), st.floats(0, 2e6))
def test_a_higher_reading_is_never_calmer(limits: Limits, one: float, other: float) -> None:
    assert limits.level(min(one, other)) <= limits.level(max(one, other))


@pytest.mark.parametrize(
    ("limits", "value", "level"),
    [
        (Limits(10, 20), 7.9, Level.CALM),
        (Limits(10, 20), 8, Level.NEAR),
        (Limits(10, 20), 10, Level.STRAINED),
        (Limits(10, 20), 20, Level.OVER),
        (Limits(slow=10), 1000, Level.STRAINED),
        (Limits(stop=10), 8, Level.NEAR),
        (Limits(stop=10), 10, Level.OVER),
        (Limits(slow=1), 0, Level.CALM),
        (Limits(), 1e9, Level.CALM),
    ],
)
def test_levels(limits: Limits, value: float, level: Level) -> None:
    assert limits.level(value) is level


def test_after_a_stop_half_the_speed_is_left() -> None:
    stopped = Throttle().after(said(Level.OVER), 1.0)

    assert stopped == Throttle(0.5, frozenset({"a"}))
    assert after([(said(Level.NEAR), 1.0)] * 100, stopped) == stopped
    assert stopped.after(said(Level.CALM), 1.0).share == pytest.approx(0.55)


def test_a_look_that_comes_late_counts_for_little() -> None:
    assert Throttle().after(said(Level.STRAINED), 3600.0).share == pytest.approx(0.7**3)
    assert Throttle(0.5).after(said(Level.CALM), 3600.0).share == pytest.approx(0.65)


def test_the_reasons_are_those_that_count() -> None:
    seen = [Verdict("a", Level.OVER, "is away", "r1"), Verdict("b", Level.STRAINED, "is slow"), *said(Level.CALM, "c")]

    stopped = Throttle().after(seen, 1.0)
    assert [verdict.reason for verdict in stopped.reasons(seen)] == ["a: is away"]
    assert [verdict.about for verdict in stopped.reasons(seen)] == ["a r1"]
    slow = Throttle().after(seen[1:], 1.0)
    assert [verdict.reason for verdict in slow.reasons(seen[1:])] == ["b: is slow"]
    assert Throttle().reasons(said(Level.CALM)) == ()


def test_without_a_rate_the_rest_makes_up_the_share() -> None:
    assert Throttle(0.25).rest(0.1) == pytest.approx(0.3)
    assert Throttle().rest(0.1) == 0.0
    assert Throttle(0.25).rate(1000) == 250
    assert Throttle(LEAST).rate(1) == 1
    assert Throttle(0.5).rate(None) is None


# Recorded disturbances: what a real standby replayed, and how long a real probe took, see tests/data/README.md.


def simulated(steps: int, look: Callable[[int, float], float], limits: Limits) -> list[Throttle]:
    """
    The throttle over time, looked at every second.

    `look` gives the reading of a second from its number and from the share that the backfill had in it.
    """
    found = [Throttle()]
    for step in range(steps):
        level = limits.level(look(step, 0.0 if found[-1].is_stopped else found[-1].share))
        found.append(found[-1].after(said(level), 1.0))
    return found


@pytest.mark.parametrize("limits", [Limits(64 * MB, 256 * MB), Limits(stop=256 * MB)], ids=["both", "stop alone"])
def test_a_standby_that_replays_as_it_did_then_stays_within_its_limit_and_is_made_use_of(limits: Limits) -> None:
    lag, written = [0.0], 0.0
    capacity: list[float] = RECORDED["replayed_per_second"] * 3
    full_speed = 1.5 * max(capacity)  # more than the standby can replay at its best

    def look(step: int, share: float) -> float:
        nonlocal written
        written += share * full_speed
        lag.append(max(0.0, lag[-1] + share * full_speed - capacity[step]))
        return lag[-1]

    throttles = simulated(len(capacity), look, limits)

    assert max(lag) <= 256 * MB + full_speed  # one look's worth: the ceiling holds between two
    assert any(one.share < 1 for one in throttles)
    assert written >= 0.5 * sum(capacity)  # gentle isn't idle
    changes = sum(one.is_stopped != other.is_stopped for one, other in pairwise(throttles))
    assert changes <= len(capacity) / 6  # it doesn't flap: a stop and what follows last a dozen looks


def test_a_probe_that_is_slow_as_it_was_then_slows_the_backfill_for_as_long_and_no_longer() -> None:
    took: list[float] = RECORDED["probe_milliseconds"]
    quiet = sorted(took)[len(took) // 4]
    disturbed = [step for step, value in enumerate(took) if value > 4 * quiet]
    limits = Limits(slow=4 * quiet)

    throttles = simulated(len(took) + 20, lambda step, share: took[step] if step < len(took) else quiet, limits)

    assert throttles[disturbed[0]].share == 1.0
    assert min(one.share for one in throttles) < 0.3
    assert throttles[-1].share == pytest.approx(1.0)
    assert not any(one.is_stopped for one in throttles)
