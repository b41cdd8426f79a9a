"""Two runners, and others who use the same things as ec."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.faults.changes import INDEX_NAMES, building, index_is_valid, with_users
from tests.fixtures.project import ADD_NOTES, AlembicProject, until
from tests.fixtures.wire import Round, Side, wire_to

ADD_ANOTHER = ADD_NOTES.replace("notes", "more")


def test_of_two_runners_that_start_together_one_works_and_each_step_runs_once(project: AlembicProject) -> None:
    with_users(project, ADD_NOTES)
    project.revision("0003", ADD_ANOTHER, after="0002")

    both = [project.start("migrate", "expand", "--json") for _ in range(2)]
    ended = [one.end() for one in both]

    codes = sorted(one.code for one in ended)
    assert codes in ([0, 0], [0, 6]), ended  # the second may come when the first has ended
    for one in ended:
        if one.code == 6:
            assert one.json["error"]["kind"] == "RunnerBusy"
    assert project.columns("users") == ["id", "more", "name", "notes"]
    done = project.rows("SELECT revision FROM ec.event WHERE kind = 'expand done' ORDER BY id")
    assert done == [("0001",), ("0002",), ("0003",)]
    assert project.rows("SELECT version_num FROM alembic_version") == [("0003",)]


def test_a_runner_that_comes_when_another_has_just_ended_runs_nothing_again(project: AlembicProject) -> None:
    """It has looked at the version table before, and at the ledger only afterwards."""
    with_users(project, ADD_NOTES)
    has_looked, other_is_done = threading.Event(), threading.Event()

    def pause(now: Round, side: Side) -> bool:
        if "pg_try_advisory_lock" in now.statement and side == "before":
            has_looked.set()
            other_is_done.wait(60)
        return False

    with wire_to(project.dsn) as wire:
        wire.meet(pause)
        late = project.start("migrate", "expand", variables={"EC_DATABASE_URL": wire.dsn})
        until(lambda: has_looked.is_set() or not late.is_running, what="the late one before its lock")
        project.ok("migrate", "expand")
        other_is_done.set()
        ended = late.end()

    assert ended.code == 0, ended
    assert "outside ec" not in ended.stderr
    done = project.rows("SELECT revision FROM ec.event WHERE kind LIKE 'expand %' ORDER BY id")
    assert done == [("0001",), ("0002",)]


def test_a_second_runner_does_not_deadlock_with_a_concurrent_index_build(project: AlembicProject) -> None:
    with_users(project, INDEX_NAMES.format(unique=False))
    with project.transaction("UPDATE users SET name = name WHERE id = 1"):  # the build waits for every older writer
        first = building(project)
        second = project.json("migrate", "expand", code=6)
    ended = first.end()

    assert second["error"]["kind"] == "RunnerBusy"
    assert ended.code == 0, ended
    assert index_is_valid(project) == [True]


def test_an_application_that_takes_our_advisory_lock_is_named(project: AlembicProject) -> None:
    with_users(project, ADD_NOTES)
    with project.transaction("SELECT pg_advisory_xact_lock(25955, 1)", application_name="billing") as other:
        told = project.json("migrate", "expand", code=6)
        assert f"backend {other.info.backend_pid} (billing, from " in told["error"]["because"]
    project.ok("migrate", "expand")


def test_plain_alembic_at_the_same_moment_applies_no_step_twice(project: AlembicProject) -> None:
    with_users(project, ADD_NOTES)
    project.revision("0003", ADD_ANOTHER, after="0002")

    with ThreadPoolExecutor() as threads:
        alembic = threads.submit(project.alembic, "upgrade", "head")
        ours = project.start("migrate", "expand").end()
        theirs = alembic.result()

    assert 0 in (ours.code, theirs.code), (ours, theirs)  # one of them may find its column there, and roll back
    assert ours.code in (0, 3, 6, 7), ours
    project.ok("migrate", "expand")
    assert project.columns("users") == ["id", "more", "name", "notes"]
    assert project.rows("SELECT version_num FROM alembic_version") == [("0003",)]
    assert project.steps() == {f"expand 000{number}": "done" for number in (1, 2, 3)}
