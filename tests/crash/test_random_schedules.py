"""
Commands that are struck at random moments, again and again, and then left in peace: the end is always the same.

`EC_TEST_SCHEDULES` says how many (``tox run -e faults``: 100 in each life). `EC_TEST_SEED` draws the same ones again; a
schedule that failed is printed as it may be put into an ``@example``.
"""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given, seed, settings

from tests.crash.play import Play
from tests.crash.schedules import SEED, Patience, Schedule, schedules

SCHEDULES = int(os.environ.get("EC_TEST_SCHEDULES", "5"))


def test_whatever_happens_at_whatever_moment_the_end_is_the_same(play: Play) -> None:
    lived: list[Schedule] = []
    struck = 0

    def live_through(schedule: Schedule) -> None:
        nonlocal struck
        print(f"{len(lived)}: {schedule.stage}: {'; '.join(map(str, schedule.strikes))}")
        lived.append(schedule)
        struck += play.live_through(schedule)

    rounds = {stage.name: play.recorded[stage.name].rounds for stage in play.repeatable}
    patient = Patience(live_through)

    @seed(SEED)
    @settings(max_examples=SCHEDULES, derandomize=False, database=None, report_multiple_bugs=False)
    @given(schedules(rounds))
    def everything_is_lived_through(schedule: Schedule) -> None:
        patient(schedule)

    everything_is_lived_through()
    print(f"{struck} strikes in {len(lived)} schedules")
    assert len(lived) == SCHEDULES
    assert struck >= SCHEDULES / 2


def test_a_schedule_that_fails_is_made_simpler_and_told_soon() -> None:
    seen: list[bool] = []

    def fails_by_a_restart(schedule: Schedule) -> None:
        seen.append(all(strike.what != "restart" for strike in schedule.strikes))
        assert seen[-1]

    patient = Patience(fails_by_a_restart)

    @settings(max_examples=200)
    @given(schedules({"begun": 40, "filled": 500}))
    def nothing_fails(schedule: Schedule) -> None:
        patient(schedule)

    with pytest.raises(AssertionError) as failed:
        nothing_fails()

    assert "Schedule('begun', (Strike('restart', " in re.sub(r"\n *", "", "".join(failed.value.__notes__))
    assert len(seen) <= seen.index(False) + 1 + Patience.tries
