"""Processes that stand still, or that nobody hears any more, with locks in their hands."""

from __future__ import annotations

import signal
import threading

import pytest

from tests.faults.changes import RUNNER_LOCK, begun, go_on, with_users
from tests.fixtures.project import AlembicProject, until
from tests.fixtures.wire import Round, Side, wire_to


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_a_migration_that_is_told_to_stop_twice_leaves_nothing_and_no_lock(
    project: AlembicProject, number: signal.Signals
) -> None:
    with_users(project)
    before = project.snapshot()
    running, _ = begun(project)

    running.signal(number)
    running.signal(number)
    ended = running.end()

    assert ended.code == 130, ended
    until(lambda: not project.rows(RUNNER_LOCK), what="the lock being freed")
    assert project.snapshot()["columns"] == before["columns"]
    go_on(project)
    project.ok("migrate", "expand")


def test_while_a_runner_is_frozen_others_are_told_who_it_is(project: AlembicProject) -> None:
    with_users(project)
    running, _ = begun(project)
    running.signal(signal.SIGSTOP)

    told = project.json("migrate", "expand", code=6)

    holder = project.value(RUNNER_LOCK)
    assert told["error"]["kind"] == "RunnerBusy"
    assert f"backend {holder} (ec:" in told["error"]["because"]
    assert "has held the lock, connected since " in told["error"]["because"]
    go_on(project)
    running.signal(signal.SIGCONT)
    ended = running.end()
    assert ended.code == 0, ended
    assert project.steps()["expand 0002"] == "done"


@pytest.mark.long
def test_a_runner_frozen_inside_a_transaction_gives_the_table_back_after_ten_seconds(project: AlembicProject) -> None:
    with_users(project)
    running, pid = begun(project)
    running.signal(signal.SIGSTOP)
    go_on(project)  # the statement ends, and nobody takes its answer
    idle = f"SELECT FROM pg_stat_activity WHERE pid = {pid} AND state = 'idle in transaction'"
    until(lambda: project.rows(idle), what="idle in transaction")

    assert project.value("SELECT count(*) FROM users") == 500  # waits until the server has ended the session
    assert not project.rows(idle)
    assert "notes" not in project.columns("users")

    running.signal(signal.SIGCONT)
    ended = running.end()
    assert ended.code in (0, 7), ended
    project.ok("migrate", "expand")
    assert project.columns("users") == ["id", "name", "notes"]


@pytest.mark.long
def test_a_runner_that_nobody_hears_any_more_keeps_its_lock_until_the_server_gives_it_up(
    project: AlembicProject,
) -> None:
    """A network that swallows everything; when it is back, the runner finds that it is late and changes nothing."""
    with_users(project)
    back = threading.Event()

    def swallow(now: Round, side: Side) -> bool:
        if "ADD COLUMN" in now.statement and side == "before":
            back.wait(60)
        return False

    with wire_to(project.dsn) as wire:
        wire.meet(swallow)
        running = project.start("migrate", "expand", variables={"EC_DATABASE_URL": wire.dsn})
        until(lambda: project.rows(RUNNER_LOCK) or not running.is_running, what="the runner's lock")
        assert project.ec("migrate", "expand").code == 6

        # what the server's keepalives do in the end
        sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'ec:%'"
        ours = " AND datname = current_database() AND pid <> pg_backend_pid()"
        project.rows(sessions + ours)
        until(lambda: not project.rows(RUNNER_LOCK), what="the lock being freed")
        go_on(project)
        project.ok("migrate", "expand")
        done = project.snapshot()
        back.set()
        late = running.end()

    assert late.code in (0, 3, 6, 7), late
    after = project.snapshot()
    assert after["columns"] == done["columns"]
    assert project.steps() == {"expand 0001": "done", "expand 0002": "done"}
    project.ok("status")
