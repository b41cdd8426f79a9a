from __future__ import annotations

from datetime import timedelta
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from expandcontract.domain.ladder import attempts


@given(st.timedeltas(min_value=timedelta(milliseconds=1), max_value=timedelta(minutes=1)))
def test_no_attempt_waits_longer_than_lock_timeout_and_none_is_without_one(lock_timeout: timedelta) -> None:
    for attempt in islice(attempts(lock_timeout), 20):
        assert timedelta(milliseconds=1) <= attempt.lock_timeout <= max(lock_timeout, timedelta(milliseconds=1))


def test_the_first_attempts_are_short_and_the_later_ones_leave_a_tenth_for_the_statement() -> None:
    waits = [attempt.lock_timeout / timedelta(seconds=1) for attempt in islice(attempts(timedelta(seconds=1)), 7)]

    assert waits == [0.1, 0.2, 0.2, 0.5, 0.9, 0.9, 0.9]


def test_pauses_grow_and_are_bounded() -> None:
    pauses = [attempt.pause for attempt in islice(attempts(timedelta(seconds=1)), 12)]

    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.1, 5.0)


def test_attempts_are_counted_from_one() -> None:
    assert [attempt.number for attempt in islice(attempts(timedelta(seconds=1)), 3)] == [1, 2, 3]


def test_attempts_never_end() -> None:
    [late] = islice(attempts(timedelta(seconds=1)), 2000, 2001)

    assert late.pause == 5.0
