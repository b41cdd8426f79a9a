"""``ec undo``: take an expand back, while nobody needs what it made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from expandcontract.alembic_bridge.revisions import Revision
from expandcontract.backfill.session import without_workers
from expandcontract.commands.conversation import Conversation
from expandcontract.commands.result import Outcome, Refused, Result
from expandcontract.commands.running import become_runner, user_connection
from expandcontract.commands.situation import Situation, open_situation
from expandcontract.config import Settings
from expandcontract.database.ledger import Ledger
from expandcontract.domain.conditions.undo import releases_with_traffic
from expandcontract.domain.facts import Facts
from expandcontract.domain.gate import undo_refusals
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal
from expandcontract.domain.step import Step


@dataclass(frozen=True, kw_only=True)
class UndoResult(Result):
    """The step that was undone (with `dry_run`: that would be), and the releases given up by it."""

    steps: tuple[Step, ...] = ()
    gives_up: tuple[str, ...] = ()
    dry_run: bool = False


def undo(
    settings: Settings,
    conversation: Conversation,
    *,
    name: str,
    give_up: frozenset[str] = frozenset(),
    reason: str | None = None,
    dry_run: bool = False,
) -> UndoResult:
    """
    Run ``downgrade()`` of the revision `name` and forget its steps.

    Whoever was interrupted may ask again: the outcome is `Outcome.NOTHING` where it was undone before.

    Args:
        settings: the settings.
        conversation: who listens.
        name: the revision.
        give_up: the releases that the caller gives up as places to go back to.
        reason: why, for the ledger.
        dry_run: judge, and change nothing.

    Raises:
        RunnerBusy: another runner is at work, or the change's backfill is.
        EcError: see `expandcontract.errors`.
    """
    with open_situation(settings) as situation:
        revision = situation.revision(name)
        if dry_run:
            facts = situation.observed_facts()
            return _result(situation, revision, undo_refusals(revision.change, facts, give_up), facts, dry_run=True)
        with become_runner(situation, conversation) as running:
            facts = situation.facts()

            def ask(ledger: Ledger) -> None:
                no = undo_refusals(revision.change, situation.facts(ledger), give_up)
                if no:
                    raise Refused(no)

            no = undo_refusals(revision.change, facts, give_up)
            if not no:
                event = {"gives_up": sorted(releases_with_traffic(revision.change.revision, facts)), "reason": reason}
                try:
                    _undo_beside_no_backfill(situation, revision, lambda: running.undo(revision, ask, event))
                except Refused as changed:
                    no = changed.refusals
            return _result(situation, revision, no, facts, dry_run=False)


def _undo_beside_no_backfill(situation: Situation, revision: Revision, undo_it: Callable[[], None]) -> None:
    """A backfill of this change that runs now would find its column gone."""
    backfill = revision.change.backfill
    if backfill is None:
        undo_it()
        return
    with (
        user_connection(situation) as connection,
        without_workers(connection, revision.change.revision, backfill),
    ):
        undo_it()


def _result(
    situation: Situation, revision: Revision, no: tuple[Refusal, ...], facts: Facts, *, dry_run: bool
) -> UndoResult:
    step = Step(revision.change.revision, Phase.EXPAND)
    if {refusal.code for refusal in no} == {Code.NOT_EXPANDED} and _was_undone(situation, step.revision):
        return UndoResult(outcome=Outcome.NOTHING, dry_run=dry_run)
    return UndoResult(
        outcome=Outcome.REFUSED if no else Outcome.DONE,
        refusals=no,
        steps=() if no else (step,),
        gives_up=() if no else releases_with_traffic(step.revision, facts),
        dry_run=dry_run,
    )


def _was_undone(situation: Situation, revision: str) -> bool:
    return situation.has_ledger and situation.ledger.was_undone(revision)
