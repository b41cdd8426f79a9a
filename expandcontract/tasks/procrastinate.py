"""
Backfills as tasks of procrastinate (https://procrastinate.readthedocs.io), the queue that lives in PostgreSQL.

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=os.environ["EC_DATABASE_URL"]))
    app.add_tasks_from(backfills, namespace="ec")

The queue only starts workers, and starts them again: who fills which rows, and that each is filled once, is decided in
the ledger. So a job may be deferred as often as workers are wanted, may run twice, and may die.
"""

from __future__ import annotations

import logging
import threading

from procrastinate import Blueprint, JobContext, RetryStrategy
from procrastinate.exceptions import JobAborted

from expandcontract.alembic_bridge.project_options import ProjectOptions
from expandcontract.alembic_bridge.task import Blocked
from expandcontract.backfill.progress import Progress
from expandcontract.commands import backfill
from expandcontract.commands.result import Refused
from expandcontract.config import load_settings
from expandcontract.domain.step import Step
from expandcontract.errors import Interrupted, TryLater

QUEUE = "backfill"

backfills = Blueprint()

_log = logging.getLogger("expandcontract")
_one_at_a_time = threading.Lock()  # Alembic runs one env.py at a time in a process


@backfills.task(
    name="backfill",
    queue=QUEUE,
    pass_context=True,
    # a server that is away, or a worker that was told to stop: the next attempt goes on from the ledger
    retry=RetryStrategy(wait=10, retry_exceptions=(TryLater, JobAborted)),
)
def fill(context: JobContext, revision: str | None = None, *, workers: int = 1, rate: str | None = None) -> str:
    """
    One more process that works on a backfill, or on every one that waits, until it is complete.

    The Alembic project is that of the working directory, or of ``ALEMBIC_CONFIG``; settings come from where those of
    ``ec backfill`` come from.

    Args:
        context: the job's.
        revision: the change.
        workers: threads that move rows.
        rate: rows per second over all workers of all processes, or ``max``; by default it stays as it is.

    Raises:
        JobAborted: the worker shuts down, or somebody aborted the job; the position is saved.
        Refused, EcError: as ``ec backfill`` would say; those that may pass by waiting are tried again.
    """
    with _one_at_a_time:
        settings = load_settings(ProjectOptions(), {"rate": rate})
        try:
            result = backfill.run(settings, _Log(), only=revision, workers=workers, stop=context.should_abort)
        except Interrupted as error:
            raise JobAborted(str(error)) from error
    if result.refusals:
        raise Refused(result.refusals)
    return str(result.outcome)


@backfills.periodic(cron="* * * * *")
@backfills.task(name="take_up", queue=QUEUE, queueing_lock="ec:take_up", pass_context=True)
async def take_up(context: JobContext, timestamp: int) -> None:
    """Start the jobs of workers that have died once more, every minute."""
    jobs = context.app.job_manager
    task = context.job.task_name.replace("take_up", "backfill")  # in whatever namespace the two are
    for job in await jobs.get_stalled_jobs(queue=QUEUE, task_name=task):
        await jobs.retry_job(job)


class _Log:
    """A `Conversation` with the log."""

    def says(self, sentence: str) -> None:
        _log.info(sentence)

    def part_begins(self, step: Step, title: str, part: str) -> None:
        _log.info("%s (%s): %s", step, title, part)

    def part_done(self, step: Step, part: str, seconds: float) -> None:
        pass

    def blocked(self, blocked: Blocked) -> None:
        pass

    def progress(self, progress: Progress) -> None:
        _log.debug("backfill %s: %s of about %s rows", progress.revision, progress.rows, progress.of_about)

    def progress_ends(self) -> None:
        pass
