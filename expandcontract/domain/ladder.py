"""The ladder of lock time-outs: short waits first, so that an attempt behind a blocker hurts nobody for long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

# Shares of lock_timeout. The last rung leaves a tenth for the statements themselves, whose lock the application waits
# for as well; with the default it still outlasts deadlock_timeout, before which autovacuum doesn't give way
# (https://www.postgresql.org/docs/current/runtime-config-locks.html).
_RUNGS = (0.1, 0.2, 0.2, 0.5, 0.9)
_LONGEST_PAUSE = 5.0


@dataclass(frozen=True)
class Attempt:
    """
    One try for a lock: how long it may wait, and the most seconds to pause before the next one.

    With ``is_top`` there is no longer wait to come.
    """

    number: int
    lock_timeout: timedelta
    pause: float
    is_top: bool


def attempts(lock_timeout: timedelta) -> Iterator[Attempt]:
    """
    The tries, without end: up the ladder, then its top again and again.

    Pauses double up to five seconds. The caller draws a random share of each (full jitter), so that it doesn't keep
    step with a blocker's own rhythm, and ends when its budget is spent. No try goes without a time-out.
    """
    number = 0
    while True:
        share = _RUNGS[min(number, len(_RUNGS) - 1)]
        pause = min(_LONGEST_PAUSE, 0.1 * 2 ** min(number, 6))
        number += 1
        is_top = number >= len(_RUNGS)
        yield Attempt(number, max(timedelta(milliseconds=1), lock_timeout * share), pause, is_top)


def longest_wait(lock_timeout: timedelta) -> timedelta:
    """The longest that any try waits for its lock."""
    return lock_timeout * _RUNGS[-1]
