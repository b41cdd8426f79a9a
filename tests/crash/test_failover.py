"""The primary is killed at a random moment of each command and its standby promoted: the same command ends the same."""

from __future__ import annotations

from typing import get_args

import pytest

from tests.crash.play import Play
from tests.crash.schedules import Schedule, Strike
from tests.fixtures.wire import Side


@pytest.mark.long
def test_a_command_whose_server_is_replaced_by_its_standby_is_finished_by_the_same_command(play: Play) -> None:
    met = 0
    for stage in play.repeatable:
        number, side = play.luck.randint(1, play.recorded[stage.name].rounds), play.luck.choice(get_args(Side))
        schedule = Schedule(stage.name, (Strike("failover", side, number),))
        print(schedule)
        met += play.live_through(schedule)
    assert met > len(play.repeatable) / 2
