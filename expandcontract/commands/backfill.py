"""``ec backfill``: move the rows of one change, or of every change whose backfill waits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

from expandcontract.alembic_bridge.revisions import Revision
from expandcontract.backfill.ending import NO_BOUNDS, Bounds
from expandcontract.backfill.round_trip import losses
from expandcontract.backfill.side_effects import side_effects
from expandcontract.backfill.verification import rows_left_in
from expandcontract.commands.conversation import Conversation
from expandcontract.commands.filling import Filled, Pacing, Remaining, fill, rate_of
from expandcontract.commands.health import watched_signals
from expandcontract.commands.result import Result, outcome_of
from expandcontract.commands.running import ledger_in_place, observed, user_connection
from expandcontract.commands.situation import Situation, open_situation
from expandcontract.config import Settings
from expandcontract.database import catalog
from expandcontract.database.backfill_ledger import BackfillLedger
from expandcontract.database.backfill_records import BackfillState
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.sync_triggers import trigger_names
from expandcontract.domain.facts import Facts
from expandcontract.domain.gate import new_code_may_have_written, refusals
from expandcontract.domain.phase import Phase
from expandcontract.domain.plan import pending
from expandcontract.domain.refusal import Refusal
from expandcontract.domain.step import Step, StepState
from expandcontract.errors import ExitCode, UsageError


@dataclass(frozen=True, kw_only=True)
class BackfillResult(Result):
    """
    The backfills that are complete now (with `dry_run`: that would run), and what was refused.

    `remaining` has the one that was ended before it was complete, by a bound of this run or because it was cancelled;
    `warnings` what is worth knowing about the tables and the Syncs.
    """

    filled: tuple[Filled, ...] = ()
    remaining: tuple[Remaining, ...] = ()
    steps: tuple[Step, ...] = ()
    warnings: tuple[str, ...] = ()
    dry_run: bool = False

    @property
    def exit_code(self) -> ExitCode:
        """5 where work remains and nothing was refused."""
        return ExitCode.WORK_REMAINS if self.remaining and not self.refusals else super().exit_code


def run(
    settings: Settings,
    conversation: Conversation,
    *,
    only: str | None = None,
    workers: int = 1,
    bounds: Bounds = NO_BOUNDS,
    retry: bool = False,
    ignored_signals: Collection[str] = (),
    stop: Callable[[], bool] = lambda: False,
    dry_run: bool = False,
) -> BackfillResult:
    """
    Run the backfill of `only`, or every one that waits, in the order of the history.

    One that is done runs again where it is named and rows need it after all.

    Args:
        settings: the settings.
        conversation: who listens.
        only: a revision.
        workers: threads of this process that move rows.
        bounds: where the run ends, however much is left.
        retry: let the rows that were set aside be tried again.
        ignored_signals: health signals that aren't looked at.
        stop: asked before each range whether to end.
        dry_run: judge, and change nothing.

    Raises:
        Interrupted: `stop` said so; the position is saved.
        RunnerBusy: another backfill fills the same table.
        StepFailed: a range failed; the position is saved.
        UsageError: the revision has no backfill, its table no key, or there is no such signal to ignore.
    """
    watched_signals(settings, ignored_signals)
    with open_situation(settings) as situation:
        if not dry_run:
            ledger_in_place(situation, conversation)
            observed(situation, conversation)
        facts = situation.observed_facts()
        waiting = _waiting(situation, facts, only)
        facts = replace(facts, missing_triggers=_missing_triggers(situation, facts, waiting))
        filled: list[Filled] = []
        remaining: list[Remaining] = []
        would: list[Step] = []
        refused: list[Refusal] = []
        warnings: list[str] = []
        for revision in waiting:
            change = facts.change(revision.change.revision)
            no = refusals(change, Phase.BACKFILL, facts)
            if no:
                refused += no
                continue
            warnings += _warnings(situation, revision, conversation)
            if dry_run:
                would.append(Step(change.revision, Phase.BACKFILL))
            else:
                wrote = new_code_may_have_written(change, facts)
                if retry:
                    _retry(situation, change.revision)
                again = facts.state(change.revision, Phase.BACKFILL) in (StepState.DONE, StepState.STALE)
                health = watched_signals(settings, ignored_signals)
                paced = Pacing(rate_of(settings, change), settings.rate_is_asked, workers, again, health)
                ended = fill(
                    situation, revision, conversation, pacing=paced, new_code_wrote=wrote, stop=stop, bounds=bounds
                )
                if isinstance(ended, Remaining):
                    remaining.append(ended)
                    break
                filled.append(ended)
                bounds = bounds.after(ended.rows)
        return BackfillResult(
            outcome=outcome_of(len(filled) + len(remaining) + len(would), tuple(refused)),
            refusals=tuple(refused),
            filled=tuple(filled),
            remaining=tuple(remaining),
            steps=tuple(would) if dry_run else tuple(one.step for one in filled),
            warnings=tuple(warnings),
            dry_run=dry_run,
        )


def _warnings(situation: Situation, revision: Revision, conversation: Conversation) -> list[str]:
    """What is worth knowing before the rows are moved, said once: not when a run goes on."""
    backfill = revision.change.backfill
    position = situation.ledger.backfills.position(revision.change.revision) if situation.has_ledger else None
    begun = position is not None and position.state in (BackfillState.RUNNING, BackfillState.PAUSED)
    if backfill is None or begun:
        return []
    with user_connection(situation) as connection:
        found = [*losses(connection, backfill), *side_effects(connection, backfill)]
    for sentence in found:
        conversation.says(f"note: {sentence}")
    return found


def _missing_triggers(situation: Situation, facts: Facts, waiting: list[Revision]) -> frozenset[str]:
    """The expanded changes that count on triggers which aren't there any more, or are disabled."""
    expanded = [revision for revision in waiting if facts.is_done(revision.change.revision, Phase.EXPAND)]
    with user_connection(situation) as connection:
        executor = PsycopgExecutor(connection)
        return frozenset(
            revision.change.revision
            for revision in expanded
            for table, schema, names in _triggers_counted_on(revision)
            if not names <= catalog.enabled_triggers(executor, table, schema)
        )


def _triggers_counted_on(revision: Revision) -> Iterator[tuple[str, str | None, frozenset[str]]]:
    """Tables, each with the triggers on it that keep new rows right."""
    for sync in revision.syncs:
        yield sync.table, sync.schema, trigger_names(sync)
    backfill = revision.change.backfill
    if backfill is not None:
        yield backfill.table, backfill.table_schema, frozenset(backfill.triggers)


def _waiting(situation: Situation, facts: Facts, only: str | None) -> list[Revision]:
    waiting = {change.revision for change in pending(facts, Phase.BACKFILL)}
    if only is None:
        return [revision for revision in situation.revisions if revision.change.revision in waiting]
    revision = situation.revision(only)
    if revision.change.backfill is None:
        raise UsageError(f"{only} ({revision.change.title}) has no backfill", next_command="ec plan")
    if revision.change.revision in waiting:
        return [revision]
    wrote = new_code_may_have_written(revision.change, facts)
    with user_connection(situation) as connection:
        needed = rows_left_in(connection, revision.change.backfill, new_code_wrote=wrote)
    return [revision] if needed else []


def _retry(situation: Situation, revision: str) -> None:
    with situation.connection.transaction():
        ledger = BackfillLedger(PsycopgExecutor(situation.connection))
        if ledger.lock(revision) is None:
            return
        rows = ledger.retry(revision)
        if rows:
            step = Step(revision, Phase.BACKFILL)
            situation.ledger.record("backfill retried", {"rows": rows}, step=step)
