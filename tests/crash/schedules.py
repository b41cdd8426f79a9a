"""
What strikes a command, and when: drawn by hypothesis, which finds a simpler schedule where one fails.

A schedule is plain words, so that whatever failed can be written down: ``@example(Schedule("filled", (Strike(…),)))``.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from hypothesis import strategies as st

from tests.fixtures.wire import Side

SEED = int(os.environ.get("EC_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)

What = Literal[
    "kill",  # kill -9
    "cut",  # its connection is cut
    "end",  # pg_terminate_backend for one of its sessions
    "stop",  # SIGTERM
    "freeze",  # SIGSTOP, and a while later kill -9: its locks stay for so long
    "restart",  # the server crashes and recovers
    "failover",  # the primary is lost, and the standby takes its place
]
KINDS: tuple[What, ...] = get_args(What)
_OFTEN: tuple[What, ...] = ("kill", "kill", "kill", "cut", "end")
_MOST_STRIKES = 3
_LONGEST_MOMENT = 30  # ms that the server has for the statement


@dataclass(frozen=True)
class Strike:
    """
    Something that happens during one run of a command.

    Args:
        what: as above.
        side: before the server has the statement of that round, while it has it, or when it has answered.
        round: a statement and its answer, from 1.
        moment: how many ms the server has had the statement, where it happens during the round.
    """

    what: What
    side: Side
    round: int
    moment: int = 0

    def __str__(self) -> str:
        return f"{self.what} {self.side} round {self.round}"


@dataclass(frozen=True)
class Schedule:
    """The command of a stage, struck in one run after the other; then it is left in peace."""

    stage: str
    strikes: tuple[Strike, ...]


def schedules(rounds: Mapping[str, int]) -> st.SearchStrategy[Schedule]:
    """Schedules for stages that have so many rounds."""

    def of_stage(name: str) -> st.SearchStrategy[Schedule]:
        one = _strikes(rounds[name])
        several = st.one_of(*(st.tuples(*[one] * number) for number in range(1, _MOST_STRIKES + 1)))
        return st.builds(Schedule, st.just(name), several)

    return st.sampled_from(list(rounds)).flatmap(of_stage)


def _strikes(rounds: int) -> st.SearchStrategy[Strike]:
    # half of them are what happens most often
    what = st.one_of(st.sampled_from(_OFTEN), st.sampled_from(KINDS))
    moment = st.integers(0, _LONGEST_MOMENT)
    return st.builds(Strike, what, st.sampled_from(get_args(Side)), st.integers(1, rounds), moment)


def random_strikes(luck: random.Random, rounds: int, kinds: tuple[What, ...]) -> list[Strike]:
    """As many and such as in a schedule, for whoever has no use for simpler ones."""
    return [
        Strike(
            luck.choice((*_OFTEN, *kinds)),
            luck.choice(get_args(Side)),
            luck.randint(1, rounds),
            luck.randint(0, _LONGEST_MOMENT),
        )
        for _ in range(luck.randint(1, _MOST_STRIKES))
    ]


@dataclass
class Patience:
    """
    A test of schedules that has looked for a simpler failing one for long enough after `tries`: each takes seconds.

    From then on it only repeats what it has seen fail. A failure that depends on the moment is so told as it was, too.
    """

    test: Callable[[Schedule], None]
    tries: int = 15
    _failed: dict[Schedule, Exception] = field(default_factory=dict)

    def __call__(self, schedule: Schedule) -> None:
        """Raises: what the test raises."""
        if schedule in self._failed:
            raise self._failed[schedule]
        if self._failed:
            self.tries -= 1
        if self.tries < 0:
            return
        try:
            self.test(schedule)
        except Exception as error:
            self._failed[schedule] = error
            raise
