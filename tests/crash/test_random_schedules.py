"""
Commands that are killed, cut off or whose sessions are ended, at random moments, again and again; then left in peace.

`EC_TEST_SCHEDULES` says how many (``tox run -e faults``: 100 in each life).
"""

from __future__ import annotations

import os

from tests.crash.play import Play
from tests.crash.schedules import random_faults

SCHEDULES = int(os.environ.get("EC_TEST_SCHEDULES", "5"))


def test_whatever_happens_at_whatever_moment_the_end_is_the_same(play: Play) -> None:
    stages = [stage for stage in play.life.stages if stage.repeats]
    met = 0
    for number in range(SCHEDULES):
        stage = play.luck.choice(stages)
        faults = random_faults(play.luck, play.recorded[stage.name].rounds, play.end_a_session)
        print(f"schedule {number}: {stage.name}: {'; '.join(map(str, faults))}")
        met += play.disturb(stage, faults)
    print(f"{met} faults in {SCHEDULES} schedules")
    assert met >= SCHEDULES / 2
