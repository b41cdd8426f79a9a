"""``ec backfill status`` and ``failures``: how far each backfill is, seen from any session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from expandcontract.alembic_bridge.revisions import Revision
from expandcontract.commands.result import Outcome, Result
from expandcontract.commands.situation import Situation, open_situation
from expandcontract.config import Settings
from expandcontract.database.backfill_ledger import BackfillLedger
from expandcontract.database.backfill_records import BackfillState, Growth, Position
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.domain.phase import Phase
from expandcontract.domain.step import Step
from expandcontract.errors import UsageError


@dataclass(frozen=True)
class WorkerView:
    """A session that moves rows: its backend, and the process behind it."""

    backend: int
    host: str
    pid: int
    since: datetime


@dataclass(frozen=True)
class HealthView:
    """What the health signals leave of a backfill's speed now, whether they stop it, and why."""

    share: float
    is_stopped: bool
    reason: str | None


@dataclass(frozen=True)
class BackfillView:
    """
    A backfill: its state with the reason, its rate (rows per second over all workers; None: flat out), how far it is.

    ``rows`` are those seen in this pass, ``rows_written`` those written in all; ``workers`` are those at work now. A
    span of rows is written in `turns` turns. With `verifies` this pass writes nothing and looks for rows that still
    need it. ``growth`` is None where the table is gone, ``health`` where nobody looks at the signals.
    """

    step: Step
    state: BackfillState
    reason: str | None
    rate: int | None
    rows: int
    of_about: int
    rows_written: int
    passes: int
    turns: int
    verifies: bool
    set_aside: int
    growth: Growth | None
    started_at: datetime
    health: HealthView | None
    workers: tuple[WorkerView, ...]


@dataclass(frozen=True, kw_only=True)
class BackfillStatusResult(Result):
    """The backfills that have begun, after what was asked for (with `dry_run`: before it)."""

    backfills: tuple[BackfillView, ...]
    dry_run: bool = False


@dataclass(frozen=True)
class FailureView:
    """A row set aside: its table, its key by column, and the server's words."""

    table: str
    key: dict[str, str]
    error: str
    sqlstate: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class FailuresResult(Result):
    """The rows that a backfill can't fill."""

    step: Step
    failures: tuple[FailureView, ...]


def status(settings: Settings, *, only: str | None = None) -> BackfillStatusResult:
    """
    Every backfill that has begun, or that of the revision `only`. Reads only.

    Raises:
        UsageError: the revision has no backfill, or it hasn't begun.
    """
    with open_situation(settings) as situation:
        if only is not None:
            return result_of(situation, Outcome.DONE, begun(situation, with_backfill(situation, only)))
        ledger = BackfillLedger(PsycopgExecutor(situation.connection))
        positions = ledger.positions() if situation.has_ledger else {}
        return result_of(situation, Outcome.DONE if positions else Outcome.NOTHING, *positions.values())


def failures(settings: Settings, name: str) -> FailuresResult:
    """
    The rows that the backfill has set aside, with their keys and errors. Reads only.

    Raises:
        UsageError: the revision has no backfill, or it hasn't begun.
    """
    with open_situation(settings) as situation:
        revision = with_backfill(situation, name)
        begun(situation, revision)
        found = tuple(
            FailureView(
                f"{one.schema}.{one.relation}",
                dict(zip(one.key.columns, one.values, strict=True)),
                one.error,
                one.sqlstate,
                one.at,
            )
            for one in BackfillLedger(PsycopgExecutor(situation.connection)).failures(revision.change.revision)
        )
        outcome = Outcome.FINDINGS if found else Outcome.NOTHING
        return FailuresResult(outcome=outcome, step=Step(revision.change.revision, Phase.BACKFILL), failures=found)


def with_backfill(situation: Situation, name: str) -> Revision:
    """
    The revision that `name` means.

    Raises:
        UsageError: there is none, or it has no backfill.
    """
    revision = situation.revision(name)
    if revision.change.backfill is None:
        raise UsageError(f"{name} ({revision.change.title}) has no backfill", next_command="ec plan")
    return revision


def begun(situation: Situation, revision: Revision) -> Position:
    """
    How far its backfill is.

    Raises:
        UsageError: it hasn't begun.
    """
    ledger = BackfillLedger(PsycopgExecutor(situation.connection))
    position = ledger.position(revision.change.revision) if situation.has_ledger else None
    if position is None:
        name = revision.change.revision
        raise UsageError(f"backfill {name} hasn't begun", next_command=f"ec backfill {name}")
    return position


def result_of(situation: Situation, outcome: Outcome, *positions: Position) -> BackfillStatusResult:
    """The backfills at those positions."""
    ledger = BackfillLedger(PsycopgExecutor(situation.connection))
    return BackfillStatusResult(outcome=outcome, backfills=tuple(view_of(ledger, one) for one in positions))


def view_of(ledger: BackfillLedger, position: Position) -> BackfillView:
    """A backfill as commands show it, with the workers that are at it now."""
    return BackfillView(
        step=Step(position.revision, Phase.BACKFILL),
        state=position.state,
        reason=position.reason,
        rate=position.rate,
        rows=position.rows_seen,
        of_about=max(position.estimated_rows, position.rows_seen),
        rows_written=position.rows_written,
        passes=position.number_of_pass,
        turns=max((one.turns for one in ledger.stretches(position.revision, 1).values()), default=1),
        verifies=position.verifies and position.state is not BackfillState.COMPLETE,
        set_aside=position.set_aside,
        growth=ledger.growth(position.revision),
        started_at=position.started_at,
        health=_health(position),
        workers=tuple(
            WorkerView(worker.backend, worker.host, worker.pid, worker.started_at)
            for worker in ledger.workers(position.revision)
        ),
    )


def _health(position: Position) -> HealthView | None:
    seen = position.health
    return HealthView(round(seen.share, 3), seen.is_stopped, seen.reason) if seen else None
