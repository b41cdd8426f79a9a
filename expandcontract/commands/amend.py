"""``ec amend``: take an edited file, whose contract waits, for what was meant all along."""

from __future__ import annotations

from dataclasses import dataclass

from expandcontract.commands.conversation import Conversation
from expandcontract.commands.result import Outcome, Result
from expandcontract.commands.running import become_runner
from expandcontract.commands.situation import Situation, open_situation
from expandcontract.config import Settings
from expandcontract.domain.conditions.trees import edited_phases
from expandcontract.domain.facts import Facts
from expandcontract.domain.gate import amend_refusals
from expandcontract.domain.phase import Phase
from expandcontract.domain.step import Step


@dataclass(frozen=True, kw_only=True)
class AmendResult(Result):
    """The steps that were edited, and now are (with `dry_run`: would be) what the ledger knows."""

    steps: tuple[Step, ...] = ()
    dry_run: bool = False


def amend(
    settings: Settings, conversation: Conversation, *, name: str, reason: str, dry_run: bool = False
) -> AmendResult:
    """
    Keep what the file of the revision `name` means now, with the reason, in the place of what it meant before.

    No step runs by it. A contract may be rewritten while it waits, as long as it leaves alone what has overtaken it.

    Args:
        settings: the settings.
        conversation: who listens.
        name: the revision.
        reason: why, for the ledger.
        dry_run: judge, and change nothing.

    Raises:
        RunnerBusy: another runner is at work.
        EcError: see `expandcontract.errors`.
    """
    with open_situation(settings) as situation:
        revision = situation.revision(name).change.revision
        if dry_run:
            return _judged(situation, situation.observed_facts(), revision, dry_run=True)
        with become_runner(situation, conversation):
            result = _judged(situation, situation.facts(), revision, dry_run=False)
            if result.outcome is Outcome.DONE:
                _keep(situation, revision, result, reason)
            return result


def _judged(situation: Situation, facts: Facts, revision: str, *, dry_run: bool) -> AmendResult:
    edited = edited_phases(facts.change(revision), facts)
    if not edited:
        return AmendResult(outcome=Outcome.NOTHING, dry_run=dry_run)
    facts = situation.with_all_footprints(facts)
    no = amend_refusals(facts.change(revision), facts)
    steps = () if no else tuple(Step(revision, phase) for phase in edited)
    return AmendResult(outcome=Outcome.REFUSED if no else Outcome.DONE, refusals=no, steps=steps, dry_run=dry_run)


def _keep(situation: Situation, revision: str, result: AmendResult, reason: str) -> None:
    with situation.connection.transaction():
        situation.ledger.amend(situation.facts().change(revision))
        facts = {"phases": [str(step.phase) for step in result.steps], "reason": reason}
        situation.ledger.record("amended", facts, step=Step(revision, Phase.CONTRACT))
