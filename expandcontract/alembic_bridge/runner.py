"""Running the parts of a step: each in its own transaction, with lock time-outs, its ledger row beside it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Any

import psycopg
from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep

from expandcontract.alembic_bridge.autocommit import mark_autocommit_blocks
from expandcontract.alembic_bridge.concurrent_indexes import Repair
from expandcontract.alembic_bridge.environment import connection_of, run_in_environment
from expandcontract.alembic_bridge.failures import budget_spent, error_words, stall_words, step_failed, taken_back
from expandcontract.alembic_bridge.project import Project
from expandcontract.alembic_bridge.revisions import Revision
from expandcontract.alembic_bridge.same_server import check_same_server
from expandcontract.alembic_bridge.server_errors import is_lock_timeout
from expandcontract.alembic_bridge.sqlalchemy_executor import SqlalchemyExecutor
from expandcontract.alembic_bridge.task import Blocked, Notes, Patience, Readers, Task
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
from expandcontract.domain.ladder import Attempt, attempts
from expandcontract.domain.phase import Phase
from expandcontract.domain.step import Step, StepState
from expandcontract.errors import EcError, StepFailed

# Gets the transaction's own ledger and raises to roll back; what it returns the log keeps with the part.
Ask = Callable[[Ledger], Mapping[str, Any] | None]


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
        self._run(Task(revision, step, part.__name__, work, moves_version, index, repair, readers))

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

        self._run(Task(revision, step, "downgrade", work, MigrationStep.downgrade_from_script, None, repair, tuple))

    def _undivided(self, context: MigrationContext, revision: Revision) -> AbstractContextManager[None]:
        return undivided(context, revision.file, self._ends_transaction)

    def _run(self, task: Task) -> None:
        """Try up the ladder until the task is done or the budget is spent."""
        began = time.monotonic()
        seen: tuple[Blocker, ...] = ()
        for attempt in attempts(self._patience.lock_timeout):
            notes = Notes(task.readers())
            if not notes.blockers and self._succeeds(task, attempt, notes):
                return
            seen = notes.blockers or seen  # a transaction that was in the way once keeps its lock to its end
            pause = random.uniform(0, attempt.pause)  # noqa: S311  # jitter, no secret
            if time.monotonic() + pause - began > self._patience.budget.total_seconds():
                raise budget_spent(task, attempt, self._patience.budget, seen)
            self._on_blocked(self._cleared(task, Blocked(task.step, task.part, attempt, seen, pause)))
            time.sleep(pause)

    def _succeeds(self, task: Task, attempt: Attempt, notes: Notes) -> bool:
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

    def _cleared(self, task: Task, blocked: Blocked) -> Blocked:
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

    def _attempt(self, task: Task, attempt: Attempt, notes: Notes) -> None:
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
                mark_autocommit_blocks(context, ledger, task, attempt.lock_timeout, watch)
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
            raise taken_back(task)

    def _failed(self, task: Task, error: Exception, stall: Stall | None) -> StepFailed:
        words = stall_words(stall, self._patience.hold_timeout) if stall else error_words(error)
        if task.parts_done is not None:
            record = self._ledger.steps().get(task.step)
            begun = record is not None and record.state is not StepState.PENDING
            state = StepState.FAILED if begun else StepState.PENDING
            self._ledger.put_step(task.step, state, title=task.title, parts_done=task.parts_done, error=words)
        self._ledger.record(f"{task.step.phase} failed", {"part": task.part, "error": words}, step=task.step)
        return step_failed(task, error, words)
