"""The throttle: what health signals say about a backfill, and which share of its speed that leaves."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

LEAST = 0.05  # of the speed: slowing down isn't stopping, so the backfill still gets somewhere
_NEAR = 0.8  # of the lower limit: from here on nothing grows, and until here a stop lasts
_HALF_AT_ONCE = 0.5  # what a stop costs when it ends
_LEFT_AFTER_A_SECOND = 0.7  # of the share, in each second above the limit
_BACK_IN_A_SECOND = 0.05  # of the whole, in each second in which all is calm
_LONGEST_STEP = 3.0  # seconds: a look that comes late counts for no more than this


class Level(IntEnum):
    """How a reading stands to its limits."""

    CALM = 0  # well below them: the backfill may become faster
    NEAR = 1  # within a fifth of the lower one: it may not
    STRAINED = 2  # above the limit at which it slows down
    OVER = 3  # above the limit at which it stops


@dataclass(frozen=True)
class Limits:
    """From where on a reading slows a backfill down, and from where on it stops it. None: never."""

    slow: float | None = None
    stop: float | None = None

    def level(self, value: float) -> Level:
        """How a value stands to the limits."""
        if self.stop is not None and value >= self.stop:
            return Level.OVER
        if self.slow is not None and value >= self.slow:
            return Level.STRAINED
        lower = min((limit for limit in (self.slow, self.stop) if limit is not None), default=None)
        return Level.NEAR if lower is not None and value >= _NEAR * lower else Level.CALM


@dataclass(frozen=True)
class Verdict:
    """
    What one health signal says now.

    Attributes:
        signal: its name in the configuration.
        level: how its reading stands to its limits.
        words: the reading and its limit, for people.
        subject: which standby, slot or alert it is about, where there can be several.
    """

    signal: str
    level: Level
    words: str
    subject: str = ""

    @property
    def about(self) -> str:
        """What tells this verdict from others of the same look."""
        return f"{self.signal} {self.subject}".strip()

    @property
    def reason(self) -> str:
        """The verdict as a reason for a backfill that is slow or stands still."""
        return f"{self.signal}: {self.words}"


@dataclass(frozen=True)
class Throttle:
    """
    Which share of its speed a backfill has, and what it is stopped by.

    Additive increase, multiplicative decrease: the share shrinks by a factor in each second in which a signal is
    strained, and grows by a fixed amount in each second in which all are calm. Between the two it stays, so that it
    doesn't swing. A stop lasts until the signal that asked for it is calm, and the speed afterwards is at most half of
    that before.
    """

    share: float = 1.0
    stopped_by: frozenset[str] = frozenset()

    @property
    def is_stopped(self) -> bool:
        """Whether no range may begin."""
        return bool(self.stopped_by)

    def after(self, verdicts: Iterable[Verdict], seconds: float) -> Throttle:
        """The throttle after a look that came so many seconds after the one before."""
        seen = tuple(verdicts)
        over = {verdict.about for verdict in seen if verdict.level is Level.OVER}
        not_calm = {verdict.about for verdict in seen if verdict.level > Level.CALM}
        stopped_by = frozenset(over | (not_calm & self.stopped_by))
        worst = max((verdict.level for verdict in seen), default=Level.CALM)
        return replace(self, stopped_by=stopped_by, share=self._share(stopped_by, worst, min(seconds, _LONGEST_STEP)))

    def _share(self, stopped_by: frozenset[str], worst: Level, seconds: float) -> float:
        if stopped_by:
            return self.share if self.is_stopped else max(LEAST, _HALF_AT_ONCE * self.share)
        if worst is Level.STRAINED:
            return max(LEAST, self.share * math.pow(_LEFT_AFTER_A_SECOND, seconds))
        if worst is Level.CALM:
            return min(1.0, self.share + _BACK_IN_A_SECOND * seconds)
        return self.share

    def reasons(self, verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
        """Of the verdicts that led here, those that stop the backfill; or else those that slow it down."""
        seen = tuple(verdicts)
        if self.is_stopped:
            return tuple(verdict for verdict in seen if verdict.about in self.stopped_by)
        return tuple(verdict for verdict in seen if verdict.level is Level.STRAINED)

    def rest(self, seconds: float) -> float:
        """How long to rest after `seconds` of work, for a backfill without a rate of which this share is left."""
        return seconds * (1 / self.share - 1)

    def rate(self, rate: int | None) -> int | None:
        """What is left of a rate; None where there is none to shrink."""
        return None if rate is None else max(1, round(rate * self.share))
