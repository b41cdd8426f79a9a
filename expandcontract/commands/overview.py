"""``ec plan`` and ``ec status``: what waits, what may run, and what stands in its way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from expandcontract.commands.asking import with_evidence
from expandcontract.commands.colour import ColourView, views_of
from expandcontract.commands.proof_view import ProofView, proof_of
from expandcontract.commands.result import Outcome, Result
from expandcontract.commands.situation import Situation, open_situation
from expandcontract.commands.whole_rows import whole_row_warnings
from expandcontract.commands.window_view import WindowView, view_of
from expandcontract.config import Settings
from expandcontract.database.backfill_ledger import BackfillLedger
from expandcontract.database.backfill_records import Position
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.domain.facts import Facts
from expandcontract.domain.phase import Phase
from expandcontract.domain.plan import PlannedStep, pending, plan
from expandcontract.domain.refusal import Refusal
from expandcontract.domain.step import StepState


@dataclass(frozen=True)
class StepView:
    """
    One step: where it is, its parts, and why it may not run now (nothing there: it may, or it is done).

    ``window`` is there for a contract whose rollback window somebody has extended or closed, ``proof`` where the
    configuration asks a contract for evidence.
    """

    step: str
    revision: str
    phase: Phase
    title: str
    state: StepState
    parts: tuple[str, ...]
    rows: int | None
    of_about: int | None
    error: str | None
    refusals: tuple[Refusal, ...]
    window: WindowView | None
    proof: ProofView | None


@dataclass(frozen=True)
class TombstoneView:
    """What is out of the application's reach, since when, and the command that gives it back."""

    revision: str
    taken: tuple[str, ...]
    since: datetime
    undo: str


@dataclass(frozen=True, kw_only=True)
class OverviewResult(Result):
    """
    The steps (for a plan: those that wait), the colours, and the tombstones that stand.

    ``warnings`` are a plan's: whom a step that is allowed may hurt all the same.
    """

    steps: tuple[StepView, ...]
    colours: tuple[ColourView, ...]
    tombstones: tuple[TombstoneView, ...]
    now: datetime
    warnings: tuple[str, ...] = ()


def show_plan(settings: Settings) -> OverviewResult:
    """
    The steps that wait, in order, each with the gate's answer. Reads only.

    Raises:
        EcError: see `expandcontract.errors`.
    """
    with open_situation(settings) as situation:
        facts = facts_to_plan(situation)
        waiting = [step for step in plan(facts) if not step.is_done]
        outcome = Outcome.DONE if waiting else Outcome.NOTHING
        expands = {step.change.revision for step in waiting if step.step.phase is Phase.EXPAND}
        revisions = [one for one in situation.revisions if one.change.revision in expands]
        result = _overview(situation, facts, waiting, outcome)
        return replace(result, warnings=whole_row_warnings(situation, revisions))


def show_status(settings: Settings, *, check: bool = False) -> OverviewResult:
    """
    Every step of every change with open steps, and the colours. Reads only.

    Args:
        settings: the settings.
        check: the outcome is `Outcome.FINDINGS` where a step could run now, or has failed.

    Raises:
        EcError: see `expandcontract.errors`.
    """
    with open_situation(settings) as situation:
        facts = facts_to_plan(situation)
        steps = plan(facts)
        open_changes = {step.change.revision for step in steps if not step.is_done}
        shown = [step for step in steps if step.change.revision in open_changes]
        due = [step for step in steps if not step.is_done and (not step.refusals or step.state is StepState.FAILED)]
        return _overview(situation, facts, shown, Outcome.FINDINGS if check and due else Outcome.DONE)


def facts_to_plan(situation: Situation) -> Facts:
    """The facts; where a contract waits, with what it has to know beside the ledger."""
    facts = situation.observed_facts()
    if not situation.has_ledger or not pending(facts, Phase.CONTRACT):
        return facts
    return with_evidence(situation.settings, situation.ledger, facts, probing=situation.probing)


def _overview(situation: Situation, facts: Facts, steps: list[PlannedStep], outcome: Outcome) -> OverviewResult:
    has_ledger = situation.has_ledger
    positions = BackfillLedger(PsycopgExecutor(situation.connection)).positions() if has_ledger else {}
    records = situation.ledger.steps() if has_ledger else {}
    errors = {step: record.error for step, record in records.items()}
    proofs = {step.step: proof_of(situation.settings, step.step, facts) for step in steps}
    views = tuple(
        _view(step, positions.get(step.change.revision), errors.get(step.step), proofs[step.step], facts)
        for step in steps
    )
    tombstones = tuple(
        TombstoneView(revision, tuple(map(str, one.taken)), one.since, f"ec tombstone {revision} --undo")
        for revision, one in facts.tombstones.items()
    )
    colours = views_of(facts.router, facts.now)
    return OverviewResult(outcome=outcome, steps=views, colours=colours, tombstones=tombstones, now=facts.now)


def _view(
    planned: PlannedStep, position: Position | None, error: str | None, proof: ProofView | None, facts: Facts
) -> StepView:
    phase = planned.step.phase
    is_controlled = phase is Phase.CONTRACT and planned.step.revision in facts.controls
    moves_rows = phase is Phase.BACKFILL and position is not None
    return StepView(
        step=str(planned.step),
        revision=planned.step.revision,
        phase=phase,
        title=planned.change.title,
        state=planned.state,
        parts=planned.change.parts(phase),
        rows=position.rows_seen if moves_rows and position else None,
        of_about=position.estimated_rows if moves_rows and position else None,
        error=error,
        refusals=planned.refusals,
        window=view_of(planned.change, facts) if is_controlled else None,
        proof=proof,
    )
