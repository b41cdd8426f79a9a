"""``ec observe``: keep the ledger in step with the colour sources."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from expandcontract.commands.asking import Observation
from expandcontract.commands.colour import ColourView, router_of, views_of
from expandcontract.commands.conversation import Conversation
from expandcontract.commands.ledger_session import LedgerSession, open_ledger
from expandcontract.commands.observing import foreseen, observe
from expandcontract.commands.result import Outcome, Result
from expandcontract.config import Settings
from expandcontract.domain.refusal import Refusal
from expandcontract.domain.sighting import Look, TrafficState
from expandcontract.errors import TryLater, UsageError

_TICK = 0.2  # seconds within which a request to stop is heard


@dataclass(frozen=True, kw_only=True)
class ObserveResult(Result):
    """What the last look came to, and the router as the ledger has it after it."""

    state: TrafficState
    weights: Mapping[str, int]
    because: str | None
    witnesses: tuple[Look, ...]
    moved: bool
    at: datetime
    looks: int = 1
    colours: tuple[ColourView, ...] = ()
    dry_run: bool = False


def observe_once(settings: Settings, *, dry_run: bool = False) -> ObserveResult:
    """
    Ask the witnesses once, and record what they say.

    Raises:
        UsageError: no colour source is configured, or there is no ledger.
        EcError: see `expandcontract.errors`.
    """
    with _observing(settings) as session:
        seen = foreseen(settings, session) if dry_run else observe(settings, session)
        return _result(session, seen, looks=1, dry_run=dry_run)


def observe_until(
    settings: Settings,
    conversation: Conversation,
    *,
    every: timedelta,
    stop: Callable[[], bool],
    changed: Callable[[ObserveResult], None] = lambda result: None,
) -> ObserveResult:
    """
    Ask them again and again, and say what changes, until somebody asks to stop.

    A server that can't be reached is waited for: this process is to be the one that never goes away.

    Args:
        settings: the settings.
        conversation: who listens.
        every: how often.
        stop: whether somebody asks to stop.
        changed: gets each look that refuses other things than the one before.

    Raises:
        UsageError: no colour source is configured, or there is no ledger.
        EcError: see `expandcontract.errors`; `TryLater` only where no look has succeeded at all.
    """
    last: ObserveResult | None = None
    told: tuple[Refusal, ...] = ()
    said: str | None = None
    looks = 0
    while True:
        due = time.monotonic() + every.total_seconds()
        try:
            with _observing(settings) as session:
                looks += 1
                last = _result(session, observe(settings, session), looks=looks, dry_run=False)
            words = sentence(last)
            if last.refusals != told:
                changed(last)
            told = last.refusals
        except (TryLater, psycopg.OperationalError) as error:
            words = f"no look: {' '.join(str(error).split())}"
        if words != said:
            conversation.says(words)
        said = words
        while time.monotonic() < due and not stop():
            time.sleep(min(_TICK, max(0.0, due - time.monotonic())))
        if stop():
            if last is None:
                raise TryLater("no look has succeeded", because=said)
            return last


@contextmanager
def _observing(settings: Settings) -> Iterator[LedgerSession]:
    """A connection for one look, so that none is held open in between."""
    if not settings.colours:
        raise UsageError(
            "no colour source is configured, so there is nothing to observe",
            because="without one, the traffic is what ec colour traffic records",
            next_command="name one in [tool.expandcontract.colours] of pyproject.toml",
        )
    with open_ledger(settings) as session:
        if not session.has_ledger:
            raise UsageError(
                "this database has no ledger, so no colour is known yet",
                next_command="ec colour deploy COLOUR RELEASE (from the tree that it runs)",
            )
        yield session


def _result(session: LedgerSession, seen: Observation, *, looks: int, dry_run: bool) -> ObserveResult:
    is_known = Outcome.DONE if seen.sighting.live else Outcome.FINDINGS
    return ObserveResult(
        outcome=Outcome.REFUSED if seen.refusals else is_known,
        refusals=seen.refusals,
        state=seen.sighting.state,
        weights=seen.sighting.weights,
        because=seen.sighting.because,
        witnesses=seen.sighting.looks,
        moved=seen.moved,
        at=seen.at,
        looks=looks,
        colours=views_of(router_of(session), seen.at),
        dry_run=dry_run,
    )


def sentence(result: ObserveResult) -> str:
    """What a look came to."""
    if result.because is not None:
        return f"traffic: {result.state}: {result.because}"
    shares = ", ".join(f"{name}={weight}" for name, weight in sorted(result.weights.items()) if weight)
    return f"traffic: {result.state}: {shares}" + ("; a cutover" if result.moved else "")
