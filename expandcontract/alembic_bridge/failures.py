"""What a part that didn't get through is told as."""

from __future__ import annotations

import os
import traceback
from datetime import timedelta

from expandcontract.alembic_bridge.revisions import Revision
from expandcontract.alembic_bridge.server_errors import duplicates_query, server_words
from expandcontract.alembic_bridge.task import Task
from expandcontract.database.activity import Stall
from expandcontract.domain.blocker import Blocker
from expandcontract.domain.duration import format_duration
from expandcontract.domain.ladder import Attempt
from expandcontract.domain.redaction import redact, secrets_in
from expandcontract.errors import ConfigurationError, LockBudgetSpent, StepFailed


def error_words(error: Exception) -> str:
    """What the server said, fit for the ledger."""
    return redact(server_words(error), secrets_in(os.environ))


def stall_words(stall: Stall, bound: timedelta) -> str:
    """Why we have cancelled it: the application waited for longer than the bound."""
    return (
        f"cancelled by ec: {stall.statements} statement(s) of the application had waited for up to"
        f" {stall.longest:.1f} s for a lock that it held (hold_timeout is {format_duration(bound)}); it rewrites or"
        " scans a table under its lock, or does much beside (ec lint tells which statement)"
    )


def step_failed(task: Task, error: Exception, words: str) -> StepFailed:
    """It was rolled back for a reason that another attempt doesn't mend."""
    query = duplicates_query(error)
    look = f"the rows are found by: {query}; " if query else ""
    return StepFailed(
        f"{task.step} ({task.title}) failed in part {task.part}",
        because=f"{_place(task.revision, error)}: {words}",
        next_command=f"{look}mend the cause, then run the same command again (ec log {task.step.revision})",
    )


def budget_spent(task: Task, attempt: Attempt, budget: timedelta, seen: tuple[Blocker, ...]) -> LockBudgetSpent:
    """Others were in its way until the budget was spent."""
    return LockBudgetSpent(
        f"{task.step} got no lock for part {task.part} in {attempt.number} attempts"
        f" within {format_duration(budget)}; nothing has changed",
        because="; ".join(f"blocked by {blocker}" for blocker in seen)
        or "whoever was in the way wasn't seen within so short a wait",
        next_command="end the blocker, or run the same command again",
    )


def taken_back(task: Task) -> ConfigurationError:
    """It ran, and its transaction wasn't committed."""
    return ConfigurationError(
        f"{task.step}: part {task.part} ran, and env.py took it back; nothing has changed",
        because="env.py begins a transaction before context.configure(), by a statement such as SET, and ends it"
        " without a commit",
        next_command="add connection.commit() after that statement in env.py",
    )


def _place(revision: Revision, error: BaseException) -> str:
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == revision.file:
            return f"{revision.file}:{frame.lineno}"
    return revision.file
