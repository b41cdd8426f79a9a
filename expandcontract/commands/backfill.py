"""``ec backfill``: move the rows of one change, or of every change whose backfill waits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import psycopg

from expandcontract.alembic_bridge.revisions import Revision
from expandcontract.backfill.engine import NO_BOUNDS, Bounds, Ended, Engine
from expandcontract.backfill.engine import Outcome as Ending
from expandcontract.backfill.health.watch import Watch, What
from expandcontract.backfill.kinds.kind import AuthorsMistake
from expandcontract.backfill.round_trip import losses
from expandcontract.backfill.session import Settings as EngineSettings
from expandcontract.backfill.side_effects import side_effects
from expandcontract.backfill.verification import rows_left_in
from expandcontract.backfill.work import Work
from expandcontract.commands.conversation import Conversation
from expandcontract.commands.health import watched_signals
from expandcontract.commands.result import Result, outcome_of
from expandcontract.commands.running import open_user_connection, user_connection
from expandcontract.commands.situation import Situation, open_situation
from expandcontract.config import Settings
from expandcontract.database import catalog
from expandcontract.database import ledger as ledgers
from expandcontract.database.backfill_ledger import BackfillLedger, BackfillState
from expandcontract.database.executor import Executor, PsycopgExecutor
from expandcontract.database.ledger import Ledger
from expandcontract.database.sync_triggers import trigger_names
from expandcontract.domain.change import Change
from expandcontract.domain.facts import Facts
from expandcontract.domain.gate import new_code_may_have_written, refusals
from expandcontract.domain.phase import Phase
from expandcontract.domain.plan import pending
from expandcontract.domain.refusal import Refusal
from expandcontract.domain.step import Step, StepState
from expandcontract.errors import ExitCode, Interrupted, StepFailed, UsageError


@dataclass(frozen=True)
class Pacing:
    """
    How fast, and by how many workers of this process.

    ``rate`` is rows per second over all workers, None for flat out. A backfill that has begun keeps its own, unless
    `is_order`: somebody asks for this one now. With `again` one that is complete begins again. ``health`` has the
    signals that slow it down or stop it.
    """

    rate: int | None
    is_order: bool = False
    workers: int = 1
    again: bool = False
    health: What = field(default_factory=lambda: What(()))


@dataclass(frozen=True)
class Filled:
    """A backfill that ran to its end, and by how many bytes its table and the indexes grew meanwhile."""

    step: Step
    rows: int
    rows_written: int
    passes: int
    heap_growth: int
    index_growth: int


@dataclass(frozen=True)
class Remaining:
    """A backfill that isn't complete because this run was to end before it, and how far it is."""

    step: Step
    rows: int
    of_about: int
    because: str


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
            ledgers.install(situation.connection)
            for sentence in situation.reconcile():
                conversation.says(sentence)
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


def fill(
    situation: Situation,
    revision: Revision,
    conversation: Conversation,
    *,
    pacing: Pacing,
    new_code_wrote: bool,
    stop: Callable[[], bool] = lambda: False,
    bounds: Bounds = NO_BOUNDS,
) -> Filled | Remaining:
    """
    Fill the rows of one change and verify that none is left; the gate has been asked.

    Other processes may do so at the same time. What is left where `bounds` end it, or somebody cancels it, comes back.

    Raises:
        Interrupted, RunnerBusy, StepFailed, UsageError: as for `run`.
    """
    change, step = revision.change, Step(revision.change.revision, Phase.BACKFILL)
    backfill = change.backfill
    if backfill is None:
        raise UsageError(f"{change.revision} ({change.title}) has no backfill")

    def complete(executor: Executor) -> None:
        """In the transaction in which the backfill becomes complete."""
        ledger = Ledger(executor, situation.actor)
        position = BackfillLedger(executor).position(change.revision)
        facts = (
            {"rows": position.rows_seen, "written": position.rows_written, "passes": position.number_of_pass}
            if position
            else {}
        )
        ledger.put_step(step, StepState.DONE, title=change.title, writers=backfill.writers)
        ledger.put_meaning(situation.understood(revision).change, Phase.BACKFILL)
        ledger.record("backfill done", facts, step=step)

    engine_settings = EngineSettings(
        rate=pacing.rate,
        sets_rate=pacing.is_order,
        workers=pacing.workers,
        again=pacing.again,
        watched=bool(pacing.health.signals),
    )
    open_connection = partial(open_user_connection, situation)
    engine = Engine(
        open_connection,
        Work(change.revision, backfill, new_code_wrote, engine_settings, complete),
        on_progress=conversation.progress,
        stop=stop,
        bounds=bounds,
    )
    relation = catalog.regclass(backfill.table, backfill.table_schema)
    situation.ledger.put_step(step, StepState.STARTED, title=change.title, writers=backfill.writers)
    situation.ledger.record("backfill started", {"rate": pacing.rate or "max", "relation": relation}, step=step)
    conversation.part_begins(step, change.title, f"backfill of {backfill.table}")
    watch = Watch(open_connection, change.revision, backfill, pacing.health, conversation.says)
    try:
        with watch:
            ended = engine.run()
    except (AuthorsMistake, psycopg.Error) as error:
        words = error.diag.message_primary if isinstance(error, psycopg.Error) else None
        raise _failed(situation, revision, words or str(error)) from error
    finally:
        conversation.progress_ends()
    return _ended(situation, revision, ended)


def _ended(situation: Situation, revision: Revision, ended: Ended) -> Filled | Remaining:
    change, step = revision.change, Step(revision.change.revision, Phase.BACKFILL)
    position = BackfillLedger(PsycopgExecutor(situation.connection)).position(change.revision)
    rows = position.rows_seen if position else 0
    if ended.outcome is Ending.FAILED:
        name = change.revision
        mend = f"ec backfill failures {name}, mend them, then: ec backfill retry {name}"
        has_set_aside = position is not None and position.set_aside > 0
        raise _failed(situation, revision, ended.reason or "rows are left", mend if has_set_aside else None)
    if ended.outcome in (Ending.BOUND_REACHED, Ending.CANCELLED):
        because = ended.reason or str(ended.outcome)
        situation.ledger.record("backfill ended early", {"rows": rows, "because": because}, step=step)
        return Remaining(step, rows, max(position.estimated_rows, rows) if position else 0, because)
    if ended.outcome is Ending.INTERRUPTED or position is None:
        situation.ledger.record("backfill interrupted", {"rows": rows}, step=step)
        raise Interrupted(
            f"{step} was interrupted after {rows} rows; the position is saved",
            because=ended.reason,
            next_command=f"ec backfill {change.revision}",
        )
    growth = BackfillLedger(PsycopgExecutor(situation.connection)).growth(change.revision)
    heap, indexes = (growth.heap - growth.heap_before, growth.indexes - growth.indexes_before) if growth else (0, 0)
    return Filled(step, position.rows_seen, position.rows_written, position.number_of_pass, heap, indexes)


def _failed(situation: Situation, revision: Revision, words: str, next_command: str | None = None) -> StepFailed:
    change, step = revision.change, Step(revision.change.revision, Phase.BACKFILL)
    situation.ledger.put_step(step, StepState.FAILED, title=change.title, error=words)
    situation.ledger.record("backfill failed", {"error": words}, step=step)
    return StepFailed(
        f"{step} ({change.title}) failed; the position is saved",
        because=words,
        next_command=next_command or f"mend the cause, then: ec backfill {change.revision}",
    )


def rate_of(settings: Settings, change: Change) -> int | None:
    """What was asked for here and now, else what the revision says of its table, else the project's configuration."""
    declared = change.backfill.rate if change.backfill else None
    return settings.rate if settings.rate_is_here or declared is None else declared


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
