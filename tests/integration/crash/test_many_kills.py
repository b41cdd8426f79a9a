"""
Workers killed at random, and the server once, while the application writes: nothing is lost, nothing done twice.

`EC_TEST_KILLS` says how often (``tox run -e kills``: 50 times); `EC_TEST_SEED` repeats a run, whose seed it prints.
"""

import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest

from tests.fixtures.project import CREATE_USERS, until
from tests.fixtures.servers import database_on

KILLS = int(os.environ.get("EC_TEST_KILLS", "6"))
SEED = int(os.environ.get("EC_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
WORKERS = 2
ROWS = 40_000 + 3_000 * KILLS
SLOWLY = "2000"  # rows per second: the killing takes longer than that many rows allow

# n counts how often the backfill has written a row; the application, which knows both shapes, leaves it alone
ADD_SHOUT = """
from expandcontract import Backfill

contract_after = "1ms"


def upgrade():
    op.add_column("users", sa.Column("shout", sa.Text))
    op.add_column("users", sa.Column("n", sa.Integer, server_default="0", nullable=False))


def downgrade():
    op.drop_column("users", "n")
    op.drop_column("users", "shout")


backfill = Backfill(
    "users",
    set={"shout": "upper(name)", "n": "n + 1"},
    where="shout IS NULL",
    writers="0002",
    required=False,
    turns=3,
)


def contract():
    op.alter_column("users", "shout", nullable=False)
"""


@pytest.fixture
def to_fill(cluster, make_project):
    project = make_project(database_on(cluster))
    project.revision("0001", CREATE_USERS, title="create users")
    project.revision("0002", ADD_SHOUT, after="0001", title="add shout")
    project.ok("migrate", "expand")
    project.execute(f"INSERT INTO users (name) SELECT 'person ' || i FROM generate_series(1, {ROWS}) i")
    project.ok("colour", "deploy", "green", "2")
    project.ec("colour", "traffic", "green=100")
    return project


def start_worker(project, *options):
    return project.start("backfill", "0002", *options)


@contextmanager
def application(project, luck):
    """Threads that insert and update in both shapes, and come back when the server has been away; rows written so."""
    stopping, written = threading.Event(), []

    def write(seed):
        luck, count = random.Random(seed), 0
        while not stopping.is_set():
            try:
                with project.connect(autocommit=True) as connection:
                    while not stopping.is_set():
                        count += 1
                        name = f"writer {seed} {count}"
                        if luck.random() < 0.3:
                            connection.execute("INSERT INTO users (name, shout) VALUES (%s, upper(%s))", [name, name])
                        else:
                            query = "UPDATE users SET name = %s, shout = upper(%s) WHERE id = %s"
                            connection.execute(query, [name, name, luck.randrange(1, ROWS)])
                        time.sleep(0.005)
            except psycopg.OperationalError:  # the server is away
                time.sleep(0.05)
        written.append(count)

    with ThreadPoolExecutor(2) as threads:
        writers = [threads.submit(write, luck.random()) for _ in range(2)]
        try:
            yield written
        finally:
            stopping.set()
            for writer in writers:
                writer.result()


@pytest.mark.long
def test_every_row_is_right_and_written_once_however_often_workers_and_the_server_die(cluster, to_fill):
    print(f"EC_TEST_SEED={SEED} EC_TEST_KILLS={KILLS}")
    luck = random.Random(SEED)

    with application(to_fill, luck) as written:
        workers = [start_worker(to_fill, "--rate", SLOWLY) for _ in range(WORKERS)]
        until(lambda: to_fill.rows("SELECT FROM ec.backfill_range WHERE state = 'done' LIMIT 1"), what="a range")
        for number in range(KILLS):
            time.sleep(luck.uniform(0.05, 1.5))
            for place, worker in enumerate(workers):
                if not worker.is_running:  # it found no server: whatever starts workers starts it again
                    assert worker.end().code == 6
                    workers[place] = start_worker(to_fill)
            victim = luck.randrange(WORKERS)
            workers[victim].kill()
            workers[victim] = start_worker(to_fill)
            if number == KILLS // 2:
                cluster.kill()
                cluster.start()
        assert to_fill.value("SELECT state FROM ec.backfill") == "running", "complete before the last kill"
        to_fill.ok("backfill", "set", "0002", "--rate", "max")
        for worker in workers:
            worker.end()
        to_fill.ok("backfill")

    assert min(written) > 0
    assert to_fill.value("SELECT count(*) FROM users") > ROWS
    assert to_fill.value("SELECT count(*) FROM users WHERE shout IS DISTINCT FROM upper(name)") == 0
    ((most, by_backfill, in_ledger, unfinished),) = to_fill.rows(
        "SELECT max(n), sum(n), (SELECT sum(rows_written) FROM ec.backfill_range),"
        " (SELECT count(*) FROM ec.backfill_range WHERE state <> 'done') FROM users"
    )
    assert (most, by_backfill, unfinished) == (1, in_ledger, 0)
    to_fill.ok("migrate", "contract")
