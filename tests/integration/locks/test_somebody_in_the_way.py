"""A lock that somebody else holds: ec waits shortly, says who it is, and tries again until its budget is spent."""

import json
import threading
import time

import psycopg
import pytest

from expandcontract.proof.scratch_server import ScratchServer
from tests.fixtures.project import ADD_NOTES, CREATE_USERS, until
from tests.fixtures.servers import database_on, local_installations, ram_disk, unavailable


def with_users(project):
    project.revision("0001", CREATE_USERS, title="create users")
    project.ok("migrate", "expand")
    project.revision("0002", ADD_NOTES, after="0001", title="add notes")
    return project


def waiting(project):
    """Whether a statement waits for a lock on users."""
    return project.rows("SELECT FROM pg_locks WHERE NOT granted AND relation = 'users'::regclass")


def test_a_reader_in_the_way_is_named_and_the_step_tried_again_until_it_is_gone(each_database, make_project):
    project = with_users(make_project(each_database))

    with project.transaction("SELECT count(*) FROM users", application_name="a slow report") as reader:
        pid = reader.info.backend_pid
        running = project.start("migrate", "expand", "--lock-timeout", "600ms")
        heard = running.process.stderr
        lines = [heard.readline()]
        while "got no lock" not in lines[-1] or "blocked by pid" not in lines[-1]:
            lines.append(heard.readline())
            assert lines[-1], running.end()
        reader.rollback()
        ended = running.end()

    assert ended.code == 0, ended
    told = lines[-1]
    assert f"blocked by pid {pid} (role {each_database.role}, application a slow report, idle in transaction" in told
    assert "SELECT count(*) FROM users" in told
    assert "; next attempt in " in told
    assert "notes" in project.columns("users")


def test_a_spent_lock_budget_is_6_names_the_blocker_and_changes_nothing(project):
    with_users(project)
    before = project.snapshot()
    blocker = "LOCK TABLE users IN SHARE MODE"

    with project.transaction(blocker, application_name="backup") as reader:
        options = ("--lock-timeout", "300ms", "--lock-budget", "2s")
        ran = project.ec("migrate", "expand", *options)
        as_json = project.ec("migrate", "expand", *options, "--json")

        assert ran.code == as_json.code == 6
        who = f"blocked by pid {reader.info.backend_pid} (role "
        assert who in ran.stderr
        assert "application backup, idle in transaction, transaction age " in ran.stderr
        assert f"): {blocker}" in ran.stderr
        assert "within 2s; nothing has changed" in ran.stderr
        assert as_json.json["error"]["kind"] == "LockBudgetSpent"
        assert who in as_json.json["error"]["because"]
        events = [json.loads(line) for line in as_json.stderr.splitlines() if line.startswith("{")]
        assert "blocked" in {event["event"] for event in events}
    assert project.snapshot() == before
    project.ok("migrate", "expand")


def test_a_blocker_is_left_alone_unless_cancelling_it_was_asked_for_and_it_is_old_enough(project):
    with_users(project)
    options = ("--lock-timeout", "200ms", "--lock-budget", "3s")
    with project.transaction("SELECT FROM users", application_name="a slow report") as reader:
        pid = reader.info.backend_pid
        assert project.ec("migrate", "expand", *options).code == 6
        assert project.ec("migrate", "expand", *options, "--cancel-blockers", "1h").code == 6
        assert reader.execute("SELECT 1").fetchone() == (1,)

        ran = project.ok("migrate", "expand", *options, "--lock-budget", "1m", "--cancel-blockers", "10ms")

        assert f"cancelled pid {pid} (application a slow report)" in ran.stderr
        # not before the longest wait was in vain
        assert ran.stderr.index("(attempt 5)") < ran.stderr.index("cancelled pid")
        with pytest.raises(psycopg.OperationalError):  # it idled in its transaction: there was no statement to cancel
            reader.execute("SELECT 1")
    assert "notes" in project.columns("users")
    (event,) = [one for one in project.json("log")["events"] if one["kind"] == "blocker cancelled"]
    assert (event["facts"]["pid"], event["facts"]["application"]) == (pid, "a slow report")


def test_a_statement_in_the_way_is_cancelled_and_its_session_lives(project):
    with_users(project)
    with project.connect(autocommit=True, application_name="export") as reader:
        heard = []

        def export():
            try:
                reader.execute("SELECT pg_sleep(60) FROM (SELECT count(*) FROM users) AS all_of_them")
            except psycopg.Error as error:
                heard.append(error)

        thread = threading.Thread(target=export)
        thread.start()
        until(lambda: project.rows("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'"), what="it runs")
        ran = project.ok("migrate", "expand", "--lock-timeout", "200ms", "--cancel-blockers", "10ms", "--json")
        thread.join()

        assert isinstance(heard[0], psycopg.errors.QueryCanceled)
        assert reader.execute("SELECT 1").fetchone() == (1,)
        events = [json.loads(line) for line in ran.stderr.splitlines()]
        assert [reader.info.backend_pid] in [event.get("cancelled") for event in events]


@pytest.mark.long
def test_a_blocker_of_a_role_that_may_not_be_cancelled_is_said_to_be(project, database):
    with_users(project)
    with psycopg.connect(database.superuser_dsn, application_name="dba") as reader:
        reader.execute("SELECT FROM users")
        options = ("--lock-timeout", "200ms", "--lock-budget", "3s", "--cancel-blockers", "10ms")
        ran = project.ec("migrate", "expand", *options)
        assert ran.code == 6
        assert f"may not cancel pid {reader.info.backend_pid}: GRANT pg_monitor, pg_signal_backend" in ran.stderr
        assert reader.execute("SELECT 1").fetchone() == (1,)


def test_undo_and_contract_are_patient_in_the_same_way(project):
    with_users(project)
    body = ADD_NOTES + '\ncontract_after = "1ms"\n\ndef contract():\n    op.drop_column("users", "name")\n'
    project.revision("0002", body, after="0001", title="replace name")
    project.ok("migrate", "expand")
    project.ok("colour", "deploy", "green", "2")
    project.ok("colour", "traffic", "green=100")
    options = ("--lock-timeout", "200ms", "--lock-budget", "1s")

    with project.transaction("SELECT FROM users"):
        before = project.snapshot()
        contract = project.ec("migrate", "contract", *options)
        project.ok("colour", "traffic", "green=0")
        undo = project.ec("undo", "0002", "--give-up", "2", *options)

    assert (contract.code, undo.code) == (6, 6)
    assert "blocked by pid" in contract.stderr
    assert "blocked by pid" in undo.stderr
    assert project.columns("users") == ["id", "name", "notes"]
    assert before["columns"] == project.snapshot()["columns"]


def test_nobody_waits_behind_ec_longer_than_the_lock_timeout(project):
    """With a reader in the way, ec queues for its lock and everybody queues behind it; so it must give up in time."""
    with_users(project)
    stop, waits, failures = threading.Event(), [], []

    def client():
        with project.connect(autocommit=True) as connection:
            while not stop.is_set():
                began = time.monotonic()
                try:
                    connection.execute("SELECT count(*) FROM users")
                except psycopg.Error as error:
                    failures.append(error)
                waits.append(time.monotonic() - began)
                time.sleep(0.005)

    thread = threading.Thread(target=client)
    with project.transaction("SELECT FROM users"):
        thread.start()
        ran = project.ec("migrate", "expand", "--lock-timeout", "400ms", "--lock-budget", "3s")
    stop.set()
    thread.join()

    assert ran.code == 6
    assert failures == []
    assert max(waits) > 0.1  # somebody did wait behind it
    assert max(waits) < 2.0  # 440 ms on a machine with nothing else to do


def test_a_backfill_gives_way_to_a_row_lock_and_goes_on_after_it(project):
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    project.execute("INSERT INTO users (name) SELECT 'person ' || i FROM generate_series(1, 2000) i")
    body = """
    from expandcontract import Backfill

    def upgrade():
        op.add_column("users", sa.Column("shout", sa.Text))

    def downgrade():
        op.drop_column("users", "shout")

    backfill = Backfill("users", set={"shout": "upper(name)"}, where="shout IS NULL", writers="0002", required=False)
    """
    project.revision("0002", body, after="0001", title="add shout")
    project.ok("migrate", "expand")
    project.ok("colour", "deploy", "green", "2")
    project.ec("colour", "traffic", "green=100")

    with project.transaction("SELECT FROM users WHERE id = 1500 FOR UPDATE") as writer:
        running = project.start("backfill")
        waits = f"SELECT FROM pg_stat_activity WHERE {writer.info.backend_pid} = ANY (pg_blocking_pids(pid))"
        until(lambda: project.rows(waits), what="the backfill meeting the row")
        until(lambda: not project.rows(waits), what="the backfill giving way")
        writer.execute("UPDATE users SET name = 'changed meanwhile' WHERE id = 1500")
        writer.commit()
        ended = running.end()

    assert ended.code == 0, ended
    assert project.value("SELECT count(*) FROM users WHERE shout IS DISTINCT FROM upper(name)") == 0


@pytest.mark.needs_cluster
@pytest.mark.parametrize("installation", local_installations() or [None], ids=lambda one: one and str(one.major))
def test_a_prepared_transaction_in_the_way_is_named_by_its_gid(installation, make_project):
    if installation is None:
        unavailable("a prepared transaction needs a server with max_prepared_transactions")
    settings = {"max_prepared_transactions": 5}
    with ScratchServer(installation, settings=settings, parent=ram_disk()) as server:
        project = with_users(make_project(database_on(server)))
        with project.connect() as connection:
            connection.execute("UPDATE users SET name = name; LOCK TABLE users IN SHARE MODE")
            connection.execute("PREPARE TRANSACTION 'forgotten by the broker'")
            connection.commit()

        ran = project.ec("migrate", "expand", "--lock-timeout", "600ms", "--lock-budget", "2s")

        assert ran.code == 6
        assert "blocked by prepared transaction 'forgotten by the broker' (owner shop_runner, age " in ran.stderr
        assert "see pg_prepared_xacts" in ran.stderr
        assert "; blocked by" not in ran.stderr  # once, whatever number of locks it holds
        assert "notes" not in project.columns("users")
        project.execute("ROLLBACK PREPARED 'forgotten by the broker'")
        project.ok("migrate", "expand")
