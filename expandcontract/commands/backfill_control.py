"""``ec backfill pause|resume|cancel|set``: a backfill told from any other session what to do."""

from __future__ import annotations

from dataclasses import replace

from expandcontract.commands.backfill_status import BackfillStatusResult, begun, result_of, with_backfill
from expandcontract.commands.result import Outcome
from expandcontract.commands.situation import open_situation
from expandcontract.config import Settings
from expandcontract.database.backfill_ledger import BackfillLedger
from expandcontract.database.backfill_records import BackfillState
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.domain.phase import Phase
from expandcontract.domain.step import Step


def pause(settings: Settings, name: str, *, reason: str | None, dry_run: bool = False) -> BackfillStatusResult:
    """
    Let every worker wait after its range.

    Raises:
        UsageError: the revision has no backfill, or it hasn't begun.
    """
    return _tell(settings, name, BackfillState.PAUSED, frozenset({BackfillState.RUNNING}), reason, dry_run)


def resume(settings: Settings, name: str, *, dry_run: bool = False) -> BackfillStatusResult:
    """
    Let a paused backfill go on; no time is caught up.

    Raises:
        UsageError: the revision has no backfill, or it hasn't begun.
    """
    return _tell(settings, name, BackfillState.RUNNING, frozenset({BackfillState.PAUSED}), None, dry_run)


def cancel(settings: Settings, name: str, *, reason: str | None, dry_run: bool = False) -> BackfillStatusResult:
    """
    Let every worker end after its range; the next run begins at the first row.

    Raises:
        UsageError: the revision has no backfill, or it hasn't begun.
    """
    told = frozenset({BackfillState.RUNNING, BackfillState.PAUSED, BackfillState.FAILED})
    return _tell(settings, name, BackfillState.CANCELLED, told, reason, dry_run)


def set_rate(settings: Settings, name: str, *, rate: int | None, dry_run: bool = False) -> BackfillStatusResult:
    """
    Set the rate of a backfill, rows per second over all workers (None: flat out), from the next range on.

    Raises:
        UsageError: the revision has no backfill, or it hasn't begun.
    """
    with open_situation(settings) as situation:
        revision = with_backfill(situation, name)
        begun(situation, revision)
        ledger = BackfillLedger(PsycopgExecutor(situation.connection))
        step = Step(revision.change.revision, Phase.BACKFILL)
        with situation.connection.transaction():
            ledger.lock(revision.change.revision)
            if not dry_run:
                ledger.put_rate(revision.change.revision, rate)
                situation.ledger.record("backfill rate set", {"rate": rate or "max"}, step=step)
        return replace(result_of(situation, Outcome.DONE, begun(situation, revision)), dry_run=dry_run)


def _tell(
    settings: Settings,
    name: str,
    state: BackfillState,
    told: frozenset[BackfillState],
    reason: str | None,
    dry_run: bool,
) -> BackfillStatusResult:
    """Put a backfill that is in one of the states `told` into `state`; in another there is nothing to do."""
    with open_situation(settings) as situation:
        revision = with_backfill(situation, name)
        begun(situation, revision)
        ledger = BackfillLedger(PsycopgExecutor(situation.connection))
        step = Step(revision.change.revision, Phase.BACKFILL)
        words = None if state is BackfillState.RUNNING else f"{state} by {situation.actor.person}"
        if words and reason:
            words += f": {reason}"
        with situation.connection.transaction():
            orders = ledger.lock(revision.change.revision)
            applies = orders is not None and orders.state in told
            if applies and not dry_run:
                ledger.put_state(revision.change.revision, state, words)
                kind = "backfill resumed" if state is BackfillState.RUNNING else f"backfill {state}"
                situation.ledger.record(kind, {"reason": reason}, step=step)
        outcome = Outcome.DONE if applies else Outcome.NOTHING
        return replace(result_of(situation, outcome, begun(situation, revision)), dry_run=dry_run)
