"""``ec backfill report``: what a backfill was like, over time, from the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from expandcontract.commands.backfill_status import BackfillView, begun, view_of, with_backfill
from expandcontract.commands.result import Outcome, Result
from expandcontract.commands.situation import Situation, open_situation
from expandcontract.config import Settings
from expandcontract.database.backfill_ledger import BackfillLedger
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.health_ledger import HealthLedger, Throttled
from expandcontract.database.ledger import Event
from expandcontract.domain.phase import Phase
from expandcontract.domain.step import Step

_SLICES = 240  # at most: as many as a page's width can show
_EVENTS = 10_000


@dataclass(frozen=True)
class SliceView:
    """What was done in a slice of time: rows per second, and the seconds that a range took."""

    at: datetime
    rows_per_second: float
    median_seconds: float
    longest_seconds: float


@dataclass(frozen=True)
class PauseView:
    """
    A time in which the backfill was slowed down (``slow``), stopped (``stop``) or paused by a person (``pause``).

    ``ended_at`` None: it lasts.
    """

    kind: str
    reason: str
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ReportResult(Result):
    """A backfill over time; ``slice_seconds`` is how long each of its slices is, those without a row left out."""

    step: Step
    title: str
    backfill: BackfillView
    until: datetime
    slice_seconds: float
    slices: tuple[SliceView, ...]
    pauses: tuple[PauseView, ...]


def report(settings: Settings, name: str) -> ReportResult:
    """
    What the backfill of the revision `name` has been like since it began. Reads only.

    Raises:
        UsageError: the revision has no backfill, or it hasn't begun.
    """
    with open_situation(settings) as situation:
        revision = with_backfill(situation, name)
        executor = PsycopgExecutor(situation.connection)
        ledger, known = BackfillLedger(executor), revision.change.revision
        view = view_of(ledger, begun(situation, revision))
        ended = situation.ledger.now() if view.workers else ledger.last_done(known)
        until = max(ended or view.started_at, view.started_at + timedelta(seconds=1))
        width = max(1.0, (until - view.started_at).total_seconds() / _SLICES)
        slices = tuple(
            SliceView(
                view.started_at + timedelta(seconds=one.number * width),
                round(one.rows / width, 1),
                round(one.median_seconds, 4),
                round(one.longest_seconds, 4),
            )
            for one in ledger.slices(known, since=view.started_at, width=width)
        )
        return ReportResult(
            outcome=Outcome.DONE,
            step=Step(known, Phase.BACKFILL),
            title=revision.change.title,
            backfill=view,
            until=until,
            slice_seconds=round(width, 3),
            slices=slices,
            pauses=pauses(HealthLedger(executor, known).throttles(), _events(situation, known, view.started_at)),
        )


def pauses(throttled: Iterable[Throttled], events: Iterable[Event]) -> tuple[PauseView, ...]:
    """What slowed the backfill down, stopped or paused it, the earliest first."""
    found = [PauseView(str(one.kind), one.reason, one.began_at, one.ended_at) for one in throttled]
    began: Event | None = None
    for event in events:
        if event.kind == "backfill paused":
            began = event
        elif began is not None and event.kind in ("backfill resumed", "backfill cancelled"):
            found.append(PauseView("pause", _by_whom(began), began.at, event.at))
            began = None
    if began is not None:
        found.append(PauseView("pause", _by_whom(began), began.at, None))
    return tuple(sorted(found, key=lambda one: one.began_at))


def _by_whom(event: Event) -> str:
    reason = event.facts.get("reason")
    return f"paused by {event.person}" + (f": {reason}" if reason else "")


def _events(situation: Situation, revision: str, since: datetime) -> list[Event]:
    return [event for event in situation.ledger.events(most=_EVENTS, revision=revision) if event.at >= since]
