"""
``kill -9`` at every commit of every acting command, and then the same command again: nothing is lost, nothing differs.

Which commits there are is found by looking on the wire. `EC_TEST_KILL_POINTS` says how many of them in each life, or
``all`` (``tox run -e faults``).
"""

from __future__ import annotations

import os

from tests.crash.play import Play

KILL_POINTS = os.environ.get("EC_TEST_KILL_POINTS", "8")


def test_a_command_killed_at_any_commit_is_finished_by_the_same_command(play: Play) -> None:
    places = [
        (stage, boundary, side)
        for stage in play.repeatable
        for boundary in play.recorded[stage.name].boundaries
        for side in ("before", "after")
    ]
    chosen = places if KILL_POINTS == "all" else play.luck.sample(places, min(int(KILL_POINTS), len(places)))
    met = 0
    for stage, boundary, side in chosen:
        met += play.kill_at(stage, boundary, side)
    print(f"{met} of {len(places)} places were killed at")
    assert met > len(chosen) / 2
