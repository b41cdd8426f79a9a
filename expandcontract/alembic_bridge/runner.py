"""Running the parts of a step: each in its own transaction, with lock time-outs, its ledger row beside it."""

from __future__ import annotations

import os
import random
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep

from expandcontract.alembic_bridge.concurrent_indexes import Repair, repaired
from expandcontract.alembic_bridge.environment import connection_of, run_in_environment
from expandcontract.alembic_bridge.project import Project
from expandcontract.alembic_bridge.revisions import Revision
from expandcontract.alembic_bridge.same_server import check_same_server
from expandcontract.alembic_bridge.server_errors import duplicates_query, is_lock_timeout, server_words
from expandcontract.alembic_bridge.sqlalchemy_executor import SqlalchemyExecutor
from expandcontract.alembic_bridge.transaction import (
    hold_router,
    limit,
    see_what_is_committed,
    sees_what_is_committed,
)
from expandcontract.alembic_bridge.undivided import EndsTransaction, transaction_of, undivided
from expandcontract.database import tombstones
from expandcontract.database.activity import LockWatch, Stall, end, is_committed
from expandcontract.database.actor import Actor
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.ledger import Ledger
from expandcontract.domain.blocker import Blocker, may_be_cancelled
from expandcontract.domain.duration import format_duration
from expandcontract.domain.ladder import Attempt, attempts
from expandcontract.domain.phase import Phase
from expandcontract.domain.redaction import redact, secrets_in
from expandcontract.domain.step import Step, StepState
from expandcontract.errors import ConfigurationError, EcError, LockBudgetSpent, RevisionError, StepFailed

Readers = Callable[[], tuple[Blocker, ...]]  # who reads elsewhere what the locks of a part will reach

# Gets the transaction's own ledger and raises to roll back; what it returns the log keeps with the part.
Ask = Callable[[Ledger], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Patience:
    """
    How long one wait for a lock may last, and how long all attempts of a part together.

    Once a part has its locks, the application may wait for them as long as ``hold_timeout``. With ``cancels_older`` a
    blocker whose transaction is older than that is ended, once the longest wait was in vain.
    """

    lock_timeout: timedelta
    budget: timedelta
    hold_timeout: timedelta
    cancels_older: timedelta | None = None


@dataclass(frozen=True)
class Blocked:
    """
    An attempt that ran into its lock time-out: what was tried, who was in the way, and the pause before the next.

    ``cancelled`` are the blockers that were ended for it, ``spared`` those that we may not end, or not see.
    """

    step: Step
    part: str
    attempt: Attempt
    blockers: tuple[Blocker, ...]
    pause: float
    cancelled: tuple[Blocker, ...] = ()
    spared: tuple[Blocker, ...] = ()


@dataclass(frozen=True)
class _Task:
    """One part, or an undo: what to do in the transaction, and how ``alembic_version`` moves with it."""

    revision: Revision
    step: Step
    part: str
    work: Callable[[MigrationContext, Ledger], None]
    moves_version: Callable[..., RevisionStep] | None
    parts_done: int | None  # before this part; None for an undo
    repair: Repair
    readers: Readers

    @property
    def title(self) -> str:
        return self.revision.change.title


@dataclass
class _Notes:
    """What was seen during an attempt: who was in its way, in whose way it was, and which transaction it was."""

    blockers: tuple[Blocker, ...] = ()
    stall: Stall | None = None
    transaction: str | None = None  # the last one


class Runner:
    """
    Runs parts through the user's env.py.

    Args:
        project: the user's project.
        lock_connection: the connection that holds the runner's lock; also looks at blockers and records failures.
        actor: who acts.
        patience: lock time-out and budget.
        on_blocked: told after each attempt that was blocked.
        on_wait: told for whom a statement waits that keeps nobody waiting, and so has no time-out.
        ends_transaction: whether a text of SQL ends the transaction that it runs in.
    """

    def __init__(
        self,
        project: Project,
        lock_connection: psycopg.Connection[Any],
        actor: Actor,
        patience: Patience,
        on_blocked: Callable[[Blocked], None],
        on_wait: Callable[[Step, str, tuple[Blocker, ...]], None],
        ends_transaction: EndsTransaction,
    ) -> None:
        self._project = project
        self._connection = lock_connection
        self._actor = actor
        self._patience = patience
        self._on_blocked = on_blocked
        self._on_wait = on_wait
        self._ends_transaction = ends_transaction
        self._ledger = Ledger(PsycopgExecutor(lock_connection), actor)

    def run_part(
        self,
        revision: Revision,
        phase: Phase,
        index: int,
        ask: Ask,
        repair: Repair,
        readers: Readers = tuple,
    ) -> None:
        """
        Run one part of expand or contract and record it, in one transaction.

        The last part of an expand moves ``alembic_version`` as well.

        Args:
            revision: the change.
            phase: `Phase.EXPAND` or `Phase.CONTRACT`.
            index: which part, from 0.
            ask: asked before the part and again before it commits, when it holds its locks and nobody can move
                traffic.
            repair: what becomes of indexes that are there already.
            readers: asked before each attempt, which isn't made while there are some.

        Raises:
            LockBudgetSpent: blocked until the budget was spent; nothing of this part has changed.
            StepFailed: the part failed; it was rolled back, and that is recorded.
        """
        step = Step(revision.change.revision, phase)
        part = revision.parts(phase)[index]
        last = index + 1 == len(revision.parts(phase))

        def work(context: MigrationContext, ledger: Ledger) -> None:
            ask(ledger)
            with self._undivided(context, revision):
                part()
            hold_router(context, ledger)
            answer = ask(ledger)
            tombstones.after_part(ledger.executor, step.revision if last and phase is Phase.CONTRACT else None)
            ledger.part_ran(revision.change, phase, index, answer or {})

        moves_version = MigrationStep.upgrade_from_script if last and phase is Phase.EXPAND else None
        self._run(_Task(revision, step, part.__name__, work, moves_version, index, repair, readers))

    def undo(self, revision: Revision, ask: Ask, facts: dict[str, Any], repair: Repair) -> None:
        """
        Run ``downgrade()``, move ``alembic_version`` back and forget the change's steps, in one transaction.

        Raises:
            LockBudgetSpent, StepFailed: as for `run_part`.
        """
        step = Step(revision.change.revision, Phase.EXPAND)

        def work(context: MigrationContext, ledger: Ledger) -> None:
            ask(ledger)
            with self._undivided(context, revision):
                revision.script.module.downgrade()
            hold_router(context, ledger)
            ask(ledger)
            ledger.forget_change(step.revision)
            ledger.record("expand undone", facts, step=step)

        self._run(_Task(revision, step, "downgrade", work, MigrationStep.downgrade_from_script, None, repair, tuple))

    def _undivided(self, context: MigrationContext, revision: Revision) -> AbstractContextManager[None]:
        return undivided(context, revision.file, self._ends_transaction)

    def _run(self, task: _Task) -> None:
        """Try up the ladder until the task is done or the budget is spent."""
        began = time.monotonic()
        seen: tuple[Blocker, ...] = ()
        for attempt in attempts(self._patience.lock_timeout):
            notes = _Notes(task.readers())
            if not notes.blockers and self._succeeds(task, attempt, notes):
                return
            seen = notes.blockers or seen  # a transaction that was in the way once keeps its lock to its end
            pause = random.uniform(0, attempt.pause)  # noqa: S311  # jitter, no secret
            if time.monotonic() + pause - began > self._patience.budget.total_seconds():
                raise self._budget_spent(task, attempt, seen)
            self._on_blocked(self._cleared(task, Blocked(task.step, task.part, attempt, seen, pause)))
            time.sleep(pause)

    def _succeeds(self, task: _Task, attempt: Attempt, notes: _Notes) -> bool:
        """Whether the task is done; else it was rolled back, for others were in its way."""
        try:
            self._attempt(task, attempt, notes)
        except EcError:
            raise
        except Exception as error:
            if notes.stall or not is_lock_timeout(error):
                raise self._failed(task, error, notes.stall) from error
            return False
        return True

    def _cleared(self, task: _Task, blocked: Blocked) -> Blocked:
        """The same after the blockers that may be cancelled were, where that was asked for; kept in the ledger."""
        if self._patience.cancels_older is None or not blocked.attempt.is_top:
            return blocked
        wanted = may_be_cancelled(blocked.blockers, self._patience.cancels_older)
        cancelled = tuple(one for one in wanted if end(self._connection, one))
        for one in cancelled:
            facts = {"pid": one.pid, "role": one.role, "application": one.application_name, "age": one.age}
            self._ledger.record("blocker cancelled", {"part": task.part, **facts}, step=task.step)
        spared = tuple(one for one in blocked.blockers if one.is_hidden or (one in wanted and one not in cancelled))
        return replace(blocked, cancelled=cancelled, spared=spared)

    def _attempt(self, task: _Task, attempt: Attempt, notes: _Notes) -> None:
        """One run of env.py that does the task in one transaction; `notes` gets what was seen meanwhile."""

        def within_transaction(context: MigrationContext) -> None:
            connection = connection_of(context)
            ledger = Ledger(SqlalchemyExecutor(connection), self._actor)
            see_what_is_committed(connection)
            limit(connection, attempt.lock_timeout)
            check_same_server(self._connection, self._ledger, ledger)
            pid = connection.exec_driver_sql("SELECT pg_catalog.pg_backend_pid()").scalar_one()
            bound = self._patience.hold_timeout.total_seconds()
            with LockWatch(self._connection, pid, bound, partial(self._on_wait, task.step, task.part)) as watch:
                self._mark_autocommit_blocks(context, task, attempt.lock_timeout, watch)
                try:
                    task.work(context, ledger)
                finally:
                    notes.blockers, notes.stall = watch.last_seen, watch.stall
            notes.transaction = transaction_of(connection)

        def steps(heads: tuple[str, ...], context: MigrationContext) -> Iterable[RevisionStep]:
            connection = connection_of(context)
            if not (sees_what_is_committed(connection) or context._in_external_transaction):
                connection.commit()  # what Alembic has read so far isn't to be the step's snapshot
            if task.moves_version is None:
                with context.begin_transaction(_per_migration=True):
                    within_transaction(context)
                return []
            alembic_step = task.moves_version(self._project.script.revision_map, task.revision.script)

            def migration_fn(**_: Any) -> None:
                within_transaction(context)

            alembic_step.migration_fn = migration_fn
            return [alembic_step]

        run_in_environment(self._project, steps)
        if notes.transaction and not is_committed(self._connection, notes.transaction):
            raise ConfigurationError(
                f"{task.step}: part {task.part} ran, and env.py took it back; nothing has changed",
                because="env.py begins a transaction before context.configure(), by a statement such as SET, and ends"
                " it without a commit",
                next_command="add connection.commit() after that statement in env.py",
            )

    def _mark_autocommit_blocks(
        self, context: MigrationContext, task: _Task, lock_timeout: timedelta, watch: LockWatch
    ) -> None:
        """
        Let Alembic's autocommit block record that the step has begun, since it commits what came before it.

        Inside there is no lock time-out: CREATE INDEX CONCURRENTLY waits for old transactions without blocking anybody,
        and a time-out would leave an INVALID index. After it, the new transaction has its limit again.
        """
        original = context.autocommit_block

        @contextmanager
        def block() -> Iterator[None]:
            if context._in_external_transaction:
                raise RevisionError(
                    "an autocommit block can't run here",
                    file=task.revision.file,
                    because="env.py has begun a transaction around the migrations: by engine.begin(), or by a statement"
                    " such as SET before context.configure()",
                    next_command="use engine.connect() in env.py, and connection.commit() after such a statement",
                )
            ledger = Ledger(SqlalchemyExecutor(connection_of(context)), self._actor)
            if task.parts_done is not None:
                ledger.put_step(task.step, StepState.STARTED, title=task.title, parts_done=task.parts_done)
            with original():
                connection_of(context).exec_driver_sql("SET lock_timeout = 0")
                connection_of(context).exec_driver_sql("SET statement_timeout = 0")
                connection_of(context).exec_driver_sql("SET client_connection_check_interval = '1s'")
                with repaired(connection_of(context), task.repair), watch.without_timeout():
                    yield
            see_what_is_committed(connection_of(context))
            limit(connection_of(context), lock_timeout)

        context.autocommit_block = block  # type: ignore[method-assign]

    def _failed(self, task: _Task, error: Exception, stall: Stall | None) -> StepFailed:
        words = redact(server_words(error), secrets_in(os.environ))
        if stall is not None:
            bound = format_duration(self._patience.hold_timeout)
            words = (
                f"cancelled by ec: {stall.statements} statement(s) of the application had waited for up to"
                f" {stall.longest:.1f} s for a lock that it held (hold_timeout is {bound}); it rewrites or scans a"
                " table under its lock, or does much beside (ec lint tells which statement)"
            )
        if task.parts_done is not None:
            record = self._ledger.steps().get(task.step)
            begun = record is not None and record.state is not StepState.PENDING
            state = StepState.FAILED if begun else StepState.PENDING
            self._ledger.put_step(task.step, state, title=task.title, parts_done=task.parts_done, error=words)
        self._ledger.record(f"{task.step.phase} failed", {"part": task.part, "error": words}, step=task.step)
        return StepFailed(
            f"{task.step} ({task.title}) failed in part {task.part}",
            because=f"{_place(task.revision, error)}: {words}",
            next_command=f"{_look_first(error)}mend the cause, then run the same command again"
            f" (ec log {task.step.revision})",
        )

    def _budget_spent(self, task: _Task, attempt: Attempt, seen: tuple[Blocker, ...]) -> LockBudgetSpent:
        return LockBudgetSpent(
            f"{task.step} got no lock for part {task.part} in {attempt.number} attempts"
            f" within {format_duration(self._patience.budget)}; nothing has changed",
            because="; ".join(f"blocked by {blocker}" for blocker in seen)
            or "whoever was in the way wasn't seen within so short a wait",
            next_command="end the blocker, or run the same command again",
        )


def _look_first(error: Exception) -> str:
    query = duplicates_query(error)
    return f"the rows are found by: {query}; " if query else ""


def _place(revision: Revision, error: BaseException) -> str:
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == revision.file:
            return f"{revision.file}:{frame.lineno}"
    return revision.file
