"""One backfill filled and verified by this process, beside whoever else works on it; the gate has been asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import psycopg

from expandcontract.alembic_bridge.revisions import Revision
from expandcontract.backfill.ending import NO_BOUNDS, Bounds, Ended
from expandcontract.backfill.ending import Outcome as Ending
from expandcontract.backfill.engine import Engine
from expandcontract.backfill.health.watch import Watch, What
from expandcontract.backfill.kinds.kind import AuthorsMistake
from expandcontract.backfill.session import Settings as EngineSettings
from expandcontract.backfill.work import Work
from expandcontract.commands.conversation import Conversation
from expandcontract.commands.running import open_user_connection
from expandcontract.commands.situation import Situation
from expandcontract.config import Settings
from expandcontract.database import catalog
from expandcontract.database.backfill_ledger import BackfillLedger
from expandcontract.database.executor import Executor, PsycopgExecutor
from expandcontract.database.ledger import Ledger
from expandcontract.domain.change import Change
from expandcontract.domain.phase import Phase
from expandcontract.domain.step import Step, StepState
from expandcontract.errors import Interrupted, StepFailed, UsageError


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
