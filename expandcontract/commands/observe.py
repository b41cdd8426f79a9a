"""``ec observe``: keep the ledger in step with the colour sources."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from expandcontract.commands.asking import PATIENCE, Observation
from expandcontract.commands.colour import ColourView, router_of, views_of
from expandcontract.commands.conversation import Conversation
from expandcontract.commands.ledger_session import LedgerSession, open_ledger
from expandcontract.commands.observing import foreseen, observe
from expandcontract.commands.result import Outcome, Result
from expandcontract.commands.sampling import record_samples, samples
from expandcontract.config import Settings
from expandcontract.domain.proof import Means
from expandcontract.domain.refusal import Refusal
from expandcontract.domain.sighting import Look, TrafficState
from expandcontract.errors import TryLater, UsageError

_TICK = 0.2  # seconds within which a request to stop is heard


@dataclass(frozen=True)
class SampleView:
    """A sample of a node's statements."""

    node: str
    entries: int
    trouble: str | None


@dataclass(frozen=True, kw_only=True)
class ObserveResult(Result):
    """
    What the last look came to, and the router as the ledger has it after it.

    ``statements`` say for each node how many entries of ``pg_stat_statements`` were sampled, or why none.
    """

    state: TrafficState
    weights: Mapping[str, int]
    because: str | None
    witnesses: tuple[Look, ...]
    moved: bool
    at: datetime
    looks: int = 1
    colours: tuple[ColourView, ...] = ()
    statements: tuple[SampleView, ...] = ()
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
        taken = _sampled(settings, session, dry_run=dry_run)
        return _result(session, seen, taken, looks=1, dry_run=dry_run)


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
                seen = observe(settings, session)
                last = _result(session, seen, _sampled(settings, session), looks=looks, dry_run=False)
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
            next_command="name a source that knows better, or to begin with, in pyproject.toml under"
            ' [tool.expandcontract]: colours.recorded.source = "ledger"',
        )
    with open_ledger(settings) as session:
        if not session.has_ledger:
            raise UsageError(
                "this database has no ledger, so no colour is known yet",
                next_command="ec colour deploy COLOUR RELEASE (from the tree that it runs)",
            )
        yield session


def _sampled(settings: Settings, session: LedgerSession, *, dry_run: bool = False) -> tuple[SampleView, ...]:
    """A sample of every node's statements, where the configuration asks for them before a contract."""
    if Means.STATEMENTS not in settings.evidence:
        return ()
    if dry_run:
        found = samples(settings, session.ledger.executor, session.ledger, PATIENCE)
    else:
        found = record_samples(settings, session, PATIENCE)
    return tuple(SampleView(node, len(one.entries), one.trouble) for node, one in found.items())


def _result(
    session: LedgerSession, seen: Observation, statements: tuple[SampleView, ...], *, looks: int, dry_run: bool
) -> ObserveResult:
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
        statements=statements,
        dry_run=dry_run,
    )


def sentence(result: ObserveResult) -> str:
    """What a look came to."""
    if result.because is not None:
        return f"traffic: {result.state}: {result.because}"
    shares = ", ".join(f"{name}={weight}" for name, weight in sorted(result.weights.items()) if weight)
    troubles = [f"; statements on {one.node}: {one.trouble}" for one in result.statements if one.trouble]
    return f"traffic: {result.state}: {shares}" + ("; a cutover" if result.moved else "") + "".join(troubles)
