"""What others know: monitoring, alerts, a web address. Asked through a callable, by a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from expandcontract.backfill.health.signal import Scene, Signal, Unreadable, judged
from expandcontract.domain.quantity import NUMBER
from expandcontract.domain.throttle import Level, Limits, Verdict

ASKED_EVERY = 5.0  # seconds; monitoring is rarely younger than that
_OUT_OF_DATE = 30.0
_FIRST_ANSWER = 4.0  # seconds that others wait for it, once; longer than an answer may take


@dataclass(frozen=True)
class Number:
    """Something that answers with a number, such as a query of Prometheus; it raises `Unreadable` where it can't."""

    name: str
    ask: Callable[[], float]
    limits: Limits

    def look(self, scene: Scene) -> Sequence[Verdict]:
        """See `Signal.look`."""
        return [judged(self.name, self.ask(), self.limits, NUMBER, what="the answer is")]


@dataclass(frozen=True)
class Objection:
    """Something that answers with what speaks against going on: alerts that fire, an address that isn't well."""

    name: str
    ask: Callable[[], Sequence[str]]

    def look(self, scene: Scene) -> Sequence[Verdict]:
        """See `Signal.look`."""
        objections = self.ask()
        if not objections:
            return [Verdict(self.name, Level.CALM, "nothing speaks against it")]
        return [Verdict(self.name, Level.OVER, "; ".join(objections))]


class InBackground:
    """
    A signal that is asked by a thread of its own, so that a slow answer keeps nobody waiting.

    Args:
        signal: one that doesn't use the scene's connection.
        every: seconds between two questions.
    """

    def __init__(self, signal: Signal, *, every: float = ASKED_EVERY) -> None:
        self.name = signal.name
        self._signal = signal
        self._every = every
        self._answered = threading.Event()
        self._end = threading.Event()
        self._answer: Sequence[Verdict] | Unreadable = ()
        self._at = 0.0
        self._thread: threading.Thread | None = None

    def look(self, scene: Scene) -> Sequence[Verdict]:
        """See `Signal.look`; the last answer, or at the beginning the first."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._ask, args=(scene,), name=f"ec-health-{self.name}", daemon=True)
            self._thread.start()
            self._answered.wait(_FIRST_ANSWER)
        if not self._answered.is_set():
            raise Unreadable("no answer yet")
        answer = self._answer
        if time.monotonic() - self._at > _OUT_OF_DATE:
            raise Unreadable(f"the last answer is {time.monotonic() - self._at:.0f} s old")
        if isinstance(answer, Unreadable):
            raise answer
        return answer

    def end(self) -> None:
        """Ask no more."""
        self._end.set()

    def _ask(self, scene: Scene) -> None:
        while not self._end.is_set():
            try:
                self._answer = self._signal.look(scene)
            except Unreadable as error:
                self._answer = error
            except Exception as error:
                self._answer = Unreadable(f"{type(error).__name__}: {error}")
            self._at = time.monotonic()
            self._answered.set()
            self._end.wait(self._every)
