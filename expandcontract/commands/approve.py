"""``ec approve``: a person's word that a contract may run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from expandcontract.commands.result import Outcome, Result
from expandcontract.commands.situation import open_situation
from expandcontract.config import Settings
from expandcontract.domain.gate import approve_refusals
from expandcontract.domain.phase import Phase
from expandcontract.domain.step import Step
from expandcontract.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class ApproveResult(Result):
    """What is approved, by whom, when and why; without a person where it was refused, or with `dry_run`."""

    step: Step
    title: str
    person: str | None = None
    at: datetime | None = None
    reason: str | None = None
    dry_run: bool = False


def approve(settings: Settings, *, name: str, reason: str, dry_run: bool = False) -> ApproveResult:
    """
    Approve the contract of the revision `name` as its file has it now, on record.

    The outcome is `Outcome.NOTHING` where somebody has approved just that before.

    Raises:
        UsageError: the revision has no contract, or it is done; or there is no ledger.
        EcError: see `expandcontract.errors`.
    """
    with open_situation(settings) as situation:
        change = situation.revision(name).change
        step = Step(change.revision, Phase.CONTRACT)
        if not change.contract_parts:
            raise UsageError(f"{change.revision} ({change.title}) has no contract()", next_command="ec plan")
        if not situation.has_ledger:
            raise UsageError("this database has no ledger, so no contract waits", next_command="ec migrate expand")
        with situation.connection.transaction(force_rollback=dry_run):
            facts = situation.observed_facts()
            if facts.is_done(change.revision, Phase.CONTRACT):
                raise UsageError(f"{step} is done", next_command="ec status")
            change = facts.change(change.revision)
            no = approve_refusals(change, facts)
            if no:
                return ApproveResult(
                    outcome=Outcome.REFUSED, refusals=no, step=step, title=change.title, dry_run=dry_run
                )
            parts = change.meanings[Phase.CONTRACT]
            given = facts.approvals.get(change.revision)
            outcome = Outcome.NOTHING if given is not None and given.is_for(parts) else Outcome.DONE
            if outcome is Outcome.DONE:
                situation.ledger.approve(change.revision, parts, reason)
                given = situation.ledger.approvals()[change.revision]
        shown = None if dry_run and outcome is Outcome.DONE else given
        return ApproveResult(
            outcome=outcome,
            step=step,
            title=change.title,
            person=shown.person if shown else None,
            at=shown.at if shown else None,
            reason=shown.reason if shown else None,
            dry_run=dry_run,
        )
