"""A backfill by procrastinate's workers: several processes, one of them killed."""

import subprocess
import sys
from contextlib import contextmanager

import pytest

from tests.fixtures.project import CREATE_USERS, LONGEST, rename_name, until

pytest.importorskip("procrastinate")

ROWS = 60_000
WORKERS = 3

# as in docs/how-to/backfill-at-scale.md
JOBS = """
import os

from procrastinate import App, PsycopgConnector

from expandcontract.tasks.procrastinate import backfills

app = App(connector=PsycopgConnector(conninfo=os.environ["EC_DATABASE_URL"]))
app.add_tasks_from(backfills, namespace="ec")
"""


@pytest.fixture
def queue(project):
    """60,000 users, expanded and not filled, and the queue's tables in the same database."""
    project.revision("0001", CREATE_USERS, title="create users")
    project.ok("migrate", "expand")
    project.execute(f"INSERT INTO users (name) SELECT 'person ' || i FROM generate_series(1, {ROWS}) i")
    project.revision("0002", rename_name("1ms"), after="0001", title="rename")
    project.ok("migrate", "expand")
    project.write("jobs.py", JOBS)
    procrastinate(project, "schema", "--apply")
    return project


def procrastinate(project, *arguments):
    """Run one of procrastinate's commands."""
    ran = subprocess.run(
        command(*arguments),
        cwd=project.folder,
        env=environment(project),
        capture_output=True,
        text=True,
        timeout=LONGEST,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def command(*arguments):
    return [sys.executable, "-m", "procrastinate", "--app", "jobs.app", *arguments]


def environment(project):
    return {**project.environment(), "PYTHONPATH": str(project.folder), "EC_RATE": "15000"}


@contextmanager
def workers(project, number, *options):
    """So many worker processes; those that still run at the end are killed."""
    running = [
        subprocess.Popen(
            command("worker", "--queues", "backfill", *options),
            cwd=project.folder,
            env=environment(project),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(number)
    ]
    try:
        yield running
    finally:
        for process in running:
            process.kill()
            process.wait()


def states(project):
    """How many jobs that fill are in which state."""
    return dict(
        project.rows(
            "SELECT status::text, count(*) FROM procrastinate_jobs WHERE task_name = 'ec:backfill' GROUP BY status"
        )
    )


def at_work(project):
    """The processes that have a worker in the ledger."""
    return {pid for (pid,) in project.rows("SELECT DISTINCT pid FROM ec.backfill_worker")}


def test_workers_share_a_backfill_and_one_that_is_killed_is_replaced(queue):
    for _ in range(WORKERS):
        procrastinate(queue, "defer", "ec:backfill", '{"revision": "0002"}')

    with workers(queue, WORKERS) as running:
        pids = {process.pid for process in running}
        until(lambda: at_work(queue) == pids, what="every process to work on the backfill", seconds=LONGEST)
        done = queue.value("SELECT count(*) FROM ec.backfill_range WHERE state = 'done'")
        assert queue.value("SELECT state FROM ec.backfill") == "running"
        running[0].kill()
        running[0].wait()
        until(lambda: states(queue).get("succeeded") == WORKERS - 1, what="the others to end", seconds=LONGEST)

    assert queue.value("SELECT count(*) FROM ec.backfill_range WHERE state = 'done'") > done
    assert queue.steps()["backfill 0002"] == "done"
    assert queue.value("SELECT count(*) FROM users WHERE display_name IS DISTINCT FROM name") == 0
    assert queue.value("SELECT sum(rows_written) FROM ec.backfill_range") == ROWS
    assert states(queue) == {"succeeded": WORKERS - 1, "doing": 1}

    # half a minute later the queue knows that the worker is dead
    queue.execute("UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 minute'")
    procrastinate(queue, "defer", "ec:take_up", '{"timestamp": 0}')
    with workers(queue, 1):
        until(lambda: states(queue) == {"succeeded": WORKERS}, what="its job to be done again", seconds=LONGEST)


def test_a_worker_that_is_told_to_stop_ends_after_its_range_and_its_job_goes_on_elsewhere(queue):
    procrastinate(queue, "defer", "ec:backfill", '{"revision": "0002"}')
    with workers(queue, 1, "--shutdown-graceful-timeout", "0.1") as (first,):
        until(lambda: at_work(queue), what="work", seconds=LONGEST)
        until(lambda: queue.rows("SELECT FROM ec.backfill_range WHERE state = 'done' LIMIT 1"), what="a range")
        first.terminate()
        first.wait(LONGEST)
    assert states(queue) == {"todo": 1}
    assert not queue.rows("SELECT FROM ec.backfill_worker")

    queue.execute("UPDATE procrastinate_jobs SET scheduled_at = now()")  # it would wait ten seconds
    with workers(queue, 1):
        until(lambda: states(queue) == {"succeeded": 1}, what="the backfill to end", seconds=LONGEST)
    assert queue.value("SELECT sum(rows_written) FROM ec.backfill_range") == ROWS


def test_what_waiting_does_not_mend_fails_the_job(queue):
    procrastinate(queue, "defer", "ec:backfill", '{"revision": "0001"}')
    with workers(queue, 1):
        until(lambda: states(queue) == {"failed": 1}, what="the job to fail", seconds=LONGEST)
