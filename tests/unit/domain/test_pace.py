from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expandcontract.domain.pace import LARGEST, SMALLEST, Pace

HAIR = 1e-6  # what summing floats may lose

rates = st.integers(1, 100_000)
targets = st.floats(0.01, 10)
durations = st.floats(0, 30)
pauses = st.floats(0, 60)
shares = st.floats(0, 1)  # of the batch: the last range of a table is a short one
turns = st.lists(st.tuples(pauses, shares, durations), min_size=1, max_size=30)


@dataclass(frozen=True)
class Ran:
    """One range that ran: how many rows, and when it began."""

    rows: int
    began: float


def ranges(pace: Pace, turns: list[tuple[float, float, float]], now: float = 0.0) -> tuple[list[Ran], Pace]:
    """What a worker does that waits as told and may pause longer; and the pace afterwards."""
    ran = []
    for pause, share, seconds in turns:
        now += pace.wait(now) + pause
        rows = round(pace.batch * share)
        ran.append(Ran(rows, now))
        now += seconds
        pace = pace.took(rows, seconds, now)
    return ran, pace


def most(rate: int | None, target: float) -> int:
    """The largest batch that is fair at this rate."""
    return LARGEST if rate is None else max(1, min(LARGEST, round(rate * target)))


@given(rates, targets, turns)
def test_rows_never_move_faster_than_the_rate(
    rate: int, target: float, turns: list[tuple[float, float, float]]
) -> None:
    ran, _ = ranges(Pace.start(rate, 0.0, target=target), turns)

    for first in range(len(ran)):
        moved = 0
        for earlier, later in zip(ran[first:], ran[first + 1 :], strict=False):
            moved += earlier.rows
            assert moved <= rate * (later.began - ran[first].began) + HAIR * (1 + moved)


@given(rates, targets, turns, pauses)
def test_a_pause_is_never_caught_up(
    rate: int, target: float, turns: list[tuple[float, float, float]], pause: float
) -> None:
    _, pace = ranges(Pace.start(rate, 0.0, target=target), turns)
    resumed = pace.ready_at + pause
    assert pace.wait(resumed) == 0

    after = pace.took(pace.batch, 0.0, resumed)

    assert after.wait(resumed) == pytest.approx(pace.batch / rate, rel=HAIR, abs=HAIR)


@given(st.none() | rates, targets, st.integers(1, 10 * LARGEST), turns)
def test_a_batch_stays_within_its_bounds(
    rate: int | None, target: float, batch: int, turns: list[tuple[float, float, float]]
) -> None:
    pace = Pace.start(rate, 0.0, target=target, batch=batch)
    for turn in turns:
        _, pace = ranges(pace, [turn], now=pace.ready_at)
        assert min(SMALLEST, most(rate, target)) <= pace.batch <= most(rate, target)
        assert pace.slower().batch >= 1


@given(st.none() | rates, targets, turns, st.floats(3, 50))
def test_a_slow_range_halves_the_batch(
    rate: int | None, target: float, turns: list[tuple[float, float, float]], times: float
) -> None:
    _, pace = ranges(Pace.start(rate, 0.0, target=target), turns)

    after = pace.took(pace.batch, times * target, pace.ready_at)

    assert after.batch == max(min(SMALLEST, most(rate, target)), round(pace.batch / 2))


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
    assert Pace.start(None, 0.0, target=0.1, batch=1000).took(1000, seconds, seconds).batch == batch


def test_one_quick_range_does_not_make_up_for_slow_ones() -> None:
    pace = Pace.start(None, 0.0, target=0.1, batch=LARGEST)
    for _ in range(5):
        pace = pace.took(pace.batch, 0.2, 0.0)
    shrunk = pace.batch

    assert pace.took(shrunk, 0.01, 0.0).batch < shrunk


@pytest.mark.parametrize(("batch", "halved"), [(1000, 500), (101, 50), (SMALLEST, SMALLEST)])
def test_a_lock_time_out_halves_the_batch_down_to_the_smallest(batch: int, halved: int) -> None:
    assert Pace.start(None, 0.0, batch=batch).slower().batch == halved


@pytest.mark.parametrize(("rate", "batch"), [(None, 1000), (20_000, 1000), (5000, 500), (100, 10), (1, 1)])
def test_a_low_rate_keeps_the_batch_small(rate: int | None, batch: int) -> None:
    assert Pace.start(rate, 0.0, target=0.1).batch == batch


def test_without_a_rate_nothing_waits() -> None:
    pace = Pace.start(None, 7.0).took(1000, 0.1, 7.1)

    assert pace.wait(7.1) == 0


def test_rows_are_paid_for_from_the_beginning_of_their_range() -> None:
    pace = Pace.start(100, 0.0, target=1.0)

    after = pace.took(100, 0.4, 0.4)

    assert after.wait(0.4) == pytest.approx(0.6)
    assert after.wait(2.0) == 0


def test_a_pace_is_a_value() -> None:
    pace = Pace.start(100, 0.0)

    pace.took(10, 1.0, 1.0)

    assert pace == replace(Pace.start(100, 0.0))
