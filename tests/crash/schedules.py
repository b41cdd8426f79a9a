"""Faults at random: what happens, in which round, and on which side of it."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from tests.fixtures.wire import Fault, Round, Side

SEED = int(os.environ.get("EC_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)

_SIDES: tuple[Side, ...] = ("before", "during", "after")
_LONGEST_MOMENT = 0.03  # seconds that the server has for the statement


@dataclass(frozen=True)
class At:
    """
    A fault of one run.

    Args:
        what: ``kill`` ends the process, ``cut`` its connection, and ``end`` is `pg_terminate_backend` for its session.
        round: in which round.
        side: before it, during it or after it.
        moment: how long the server has had the statement, where it happens during the round.
    """

    what: str
    round: int
    side: Side
    moment: float
    end_a_session: Callable[[], None]

    def __str__(self) -> str:
        return f"{self.what} {self.side} round {self.round}"

    def __call__(self, pid: Future[int]) -> Fault:
        """The fault, from the process id of whoever meets it."""

        def fault(now: Round, side: Side) -> bool:
            if now.number != self.round or side != self.side:
                return False
            if side == "during":
                time.sleep(self.moment)
            if self.what == "kill":
                os.kill(pid.result(), signal.SIGKILL)
            if self.what == "end":
                self.end_a_session()
            return self.what != "end"

        return fault


def random_faults(luck: random.Random, rounds: int, end_a_session: Callable[[], None]) -> list[At]:
    """Between one and three runs, each with a fault somewhere; more of them are kills than anything else."""
    return [
        At(
            luck.choice(("kill", "kill", "kill", "cut", "end")),
            luck.randint(1, rounds),
            luck.choice(_SIDES),
            luck.uniform(0, _LONGEST_MOMENT),
            end_a_session,
        )
        for _ in range(luck.randint(1, 3))
    ]
