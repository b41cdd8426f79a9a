"""A step that has its locks keeps the application waiting for a while at most; in nobody's way it takes its time."""

import threading

from tests.fixtures.project import CREATE_USERS, until

ALTERS_THEN = """
def upgrade():
    op.add_column("users", sa.Column("notes", sa.Text))
    op.execute("SELECT pg_sleep({seconds})")


def downgrade():
    op.drop_column("users", "notes")
"""


def with_a_step_that_takes(project, seconds):
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    project.revision("0002", ALTERS_THEN.format(seconds=seconds), after="0001", title="add notes")
    return project


def test_a_step_that_keeps_the_application_waiting_is_cancelled_and_rolled_back(each_database, make_project):
    project = with_a_step_that_takes(make_project(each_database), 600)
    answers = []
    running = project.start("migrate", "expand", variables={"EC_HOLD_TIMEOUT": "400ms"})
    until(lambda: project.rows("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'"), what="it has its lock")

    client = threading.Thread(target=lambda: answers.append(project.value("SELECT count(*) FROM users")))
    client.start()
    ended = running.end()
    client.join()

    assert answers == [0]  # it waited, and nothing failed
    assert ended.code == 7, ended
    assert "cancelled by ec: 1 statement(s) of the application had waited for up to" in ended.stderr
    assert "(hold_timeout is 400ms)" in ended.stderr
    assert project.columns("users") == ["id", "name"]
    assert "cancelled by ec" in project.ok("log", "--json").stdout
    assert project.rows("SELECT FROM pg_locks WHERE locktype = 'advisory'") == []


def test_a_long_step_runs_on_while_nobody_of_the_application_waits(project):
    with_a_step_that_takes(project, 2)
    project.variables["EC_HOLD_TIMEOUT"] = "100ms"
    running = project.start("migrate", "expand")
    until(lambda: project.rows("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'"), what="it has its lock")
    project.execute("ALTER TABLE users SET (fillfactor = 90)")  # waits for it, and is no statement of the application

    assert running.end().code == 0
    assert "notes" in project.columns("users")
