from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expandcontract.domain.pace import LARGEST, LATENESS, MOST_AT_ONCE, SMALLEST, Bucket, Pace, another_pass_helps

HAIR = 1e-6  # what summing floats may lose

rates = st.integers(1, 100_000)
targets = st.floats(0.01, 10)
durations = st.floats(0, 30)
shares = st.floats(0, 1)  # of the batch: the last range of a table is a short one
turns = st.lists(st.tuples(shares, durations), min_size=1, max_size=30)
batches = st.integers(1, 1000)
asked = st.lists(st.tuples(st.floats(0, 5), batches), min_size=1, max_size=40)  # seconds since the last, rows


def after(pace: Pace, turns: list[tuple[float, float]]) -> Pace:
    for share, seconds in turns:
        pace = pace.took(round(pace.batch * share), seconds)
    return pace


def starts(asked: list[tuple[float, int]], rate: int) -> list[tuple[float, int]]:
    """When each range started, and its rows: workers ask at these distances, whether or not the last has started."""
    bucket, now, found = Bucket(), 1e6, []
    for pause, rows in asked:
        now += pause
        start, bucket = bucket.give(rows, rate, now)
        assert start >= now
        found.append((start, rows))
    return found


def most(rate: int | None, target: float) -> int:
    """The largest batch that is fair at this rate."""
    return LARGEST if rate is None else max(1, min(LARGEST, round(rate * min(target, MOST_AT_ONCE))))


@given(rates, asked)
def test_rows_never_start_faster_than_the_rate_and_a_hiccup(rate: int, asked: list[tuple[float, int]]) -> None:
    ran = starts(asked, rate)

    for first in range(len(ran)):
        moved = 0
        for (_, rows), (later, _) in zip(ran[first:], ran[first + 1 :], strict=False):
            moved += rows
            assert moved <= rate * (later - ran[first][0] + LATENESS) + HAIR * (1 + moved)


@given(rates, asked)
def test_no_two_ranges_start_together(rate: int, asked: list[tuple[float, int]]) -> None:
    ran = starts(asked, rate)

    for (earlier, rows), (later, _) in pairwise(ran):
        assert later - earlier >= 0.8 * rows / rate - HAIR


@given(rates, batches, st.integers(2, 200), st.integers(1, 8))
def test_the_rate_is_exact_while_workers_ask_early(rate: int, batch: int, ranges: int, workers: int) -> None:
    bucket, begins = Bucket(), []
    free = [1e6] * workers
    for number in range(ranges):
        now = free[number % workers]
        start, bucket = bucket.give(batch, rate, now)
        begins.append(start)
        free[number % workers] = start + 0.9 * batch / rate

    assert begins[-1] - begins[0] == pytest.approx((ranges - 1) * batch / rate, rel=1e-3, abs=1e-3)


@given(rates, batches, st.floats(LATENESS + 0.01, 1e6))
def test_a_pause_is_never_caught_up(rate: int, batch: int, pause: float) -> None:
    _, bucket = Bucket().give(batch, rate, 1e6)
    resumed = bucket.paid_until + pause

    begins = []
    for _ in range(100):
        start, bucket = bucket.give(batch, rate, resumed)
        begins.append(start)

    assert begins[0] == resumed
    assert rate * (begins[-1] - begins[0]) >= 99 * batch * (1 - HAIR) - rate * 1e-3


def test_without_a_rate_nothing_waits() -> None:
    start, bucket = Bucket(paid_until=50.0, not_before=50.0).give(1000, None, 7.0)

    assert start == 7.0
    assert bucket.give(1000, 1000, 7.0)[0] == 7.0


@given(st.none() | rates, targets, st.integers(1, 10 * LARGEST), turns)
def test_a_batch_stays_within_its_bounds(
    rate: int | None, target: float, batch: int, turns: list[tuple[float, float]]
) -> None:
    pace = Pace.start(rate, target=target, batch=batch)
    for turn in turns:
        pace = after(pace, [turn])
        assert min(SMALLEST, most(rate, target)) <= pace.batch <= most(rate, target)
        assert pace.slower().batch >= 1


@given(st.none() | rates, targets, turns, st.floats(3, 50))
def test_a_slow_range_halves_the_batch(
    rate: int | None, target: float, turns: list[tuple[float, float]], times: float
) -> None:
    pace = after(Pace.start(rate, target=target), turns)

    halved = pace.took(pace.batch, times * target)

    assert halved.batch == max(min(SMALLEST, most(rate, target)), round(pace.batch / 2))


@given(st.none() | rates, st.none() | rates, turns)
def test_another_rate_is_heeded_at_once(rate: int | None, other: int | None, turns: list[tuple[float, float]]) -> None:
    pace = after(Pace.start(rate), turns).at_rate(other)

    assert pace.rate == other
    assert pace.batch <= most(other, pace.target)


@pytest.mark.parametrize(
    ("seconds", "batch"),
    [
        (0.1, 1000),  # on target
        (0.08, 1250),
        (0.01, 1500),  # never grows by more than half
        (0.0, 1500),
        (0.2, 500),
        (0.29, 500),  # never shrinks to less than half
        (5.0, 500),
    ],
)
def test_a_batch_aims_at_the_target_duration(seconds: float, batch: int) -> None:
    assert Pace.start(None, target=0.1, batch=1000).took(1000, seconds).batch == batch


def test_a_short_range_tells_nothing_unless_it_was_slow() -> None:
    pace = Pace.start(None, target=0.1, batch=1000)

    assert pace.took(3, 0.001) == pace
    assert pace.took(3, 0.5).batch == 500


def test_one_quick_range_does_not_make_up_for_slow_ones() -> None:
    pace = Pace.start(None, target=0.1, batch=LARGEST)
    for _ in range(5):
        pace = pace.took(pace.batch, 0.2)
    shrunk = pace.batch

    assert pace.took(shrunk, 0.01).batch < shrunk


@pytest.mark.parametrize(("batch", "halved"), [(1000, 500), (101, 50), (SMALLEST, SMALLEST)])
def test_a_lock_time_out_halves_the_batch_down_to_the_smallest(batch: int, halved: int) -> None:
    assert Pace.start(None, batch=batch).slower().batch == halved


@pytest.mark.parametrize(("rate", "batch"), [(None, 1000), (20_000, 1000), (5000, 250), (100, 5), (1, 1)])
def test_a_low_rate_keeps_the_batch_small(rate: int | None, batch: int) -> None:
    assert Pace.start(rate, target=0.1).batch == batch


def test_a_pace_and_a_bucket_are_values() -> None:
    pace, bucket = Pace.start(100), Bucket()

    pace.took(10, 1.0)
    bucket.give(10, 100, 5.0)

    assert (pace, bucket) == (replace(Pace.start(100)), Bucket())


@pytest.mark.parametrize(
    ("written", "helps"),
    [
        ([], True),
        ([1000], True),
        ([1000, 1000], True),
        ([1000, 1000, 1000], False),
        ([1000, 10, 10], False),
        ([1000, 500, 200], True),
        ([1000, 500, 200, 90, 100], False),
        ([0], True),  # a partition was attached meanwhile
        ([0, 0], False),
        ([1000, 0], False),
    ],
)
def test_another_pass_helps_while_each_leaves_much_less_to_the_next(written: list[int], helps: bool) -> None:
    assert another_pass_helps(written) is helps
