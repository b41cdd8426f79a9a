"""What the server itself does on a table while a change comes, and index builds that don't end well."""

from __future__ import annotations

import psycopg
import pytest

from expandcontract.proof.installation import Installation
from expandcontract.proof.scratch_server import ScratchServer
from tests.faults.changes import BUILDING, INDEX_NAMES, building, index_is_valid, with_users
from tests.fixtures.project import ADD_NOTES, AlembicProject, ProjectMaker, until
from tests.fixtures.servers import database_on, ram_disk

UNIQUE = INDEX_NAMES.format(unique=True)
PLAIN = INDEX_NAMES.format(unique=False)

# So slow that a vacuum of this table outlasts any test; of this table alone, for there are only three workers.
SLOWLY = """
ALTER TABLE users SET (
    autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_threshold = 50
)
"""
VACUUMING = "SELECT FROM pg_stat_progress_vacuum WHERE relid = 'users'::regclass"
# Each caught exception is a subtransaction, and each of them takes a number.
TAKE_NUMBERS = """
DO $$ BEGIN
    FOR i IN 1..110000 LOOP
        BEGIN INSERT INTO numbers VALUES (i); EXCEPTION WHEN division_by_zero THEN NULL; END;
    END LOOP;
END $$
"""


@pytest.mark.long
@pytest.mark.needs_cluster
def test_an_ordinary_autovacuum_gives_way_and_one_against_wraparound_is_waited_for_and_named(
    installation: Installation, make_project: ProjectMaker
) -> None:
    with ScratchServer(installation, settings={"autovacuum_naptime": "1s"}, parent=ram_disk()) as server:
        project = with_users(make_project(database_on(server)), ADD_NOTES, users=20_000)
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute("GRANT pg_monitor TO shop_runner")  # what autovacuum does is hidden from others
        project.execute(SLOWLY, "UPDATE users SET name = name || '.'")
        until(lambda: project.rows(VACUUMING), what="autovacuum on users", seconds=60)

        project.ok("migrate", "expand")

        project.revision("0003", ADD_NOTES.replace("notes", "more"), after="0002")
        project.execute(
            "ALTER TABLE users SET (autovacuum_freeze_max_age = 100000, autovacuum_enabled = off)",
            "CREATE TABLE numbers (n int) WITH (autovacuum_enabled = off)",
        )
        project.execute(TAKE_NUMBERS)
        project.execute("UPDATE users SET name = name || '.'")
        against = "SELECT FROM pg_stat_activity WHERE query LIKE 'autovacuum: VACUUM%public.users (to prevent wrap%'"
        until(lambda: project.rows(against), what="autovacuum against wraparound", seconds=60)
        blocked = project.json("migrate", "expand", "--lock-budget", "3s", code=6)

        assert "to prevent wraparound" in blocked["error"]["because"]
        assert project.rows(against)  # nobody has cancelled it


@pytest.mark.long
@pytest.mark.parametrize("how", ["by hand", "by a time-out of its own"])
def test_a_concurrent_index_build_that_is_cancelled_is_7_and_built_anew(project: AlembicProject, how: str) -> None:
    impatient = 'op.execute("SET statement_timeout = 100")\n        op.create_index'
    with_users(project, PLAIN if how == "by hand" else PLAIN.replace("op.create_index", impatient))
    with project.transaction("UPDATE users SET name = name WHERE id = 1"):
        running = building(project)
        if how == "by hand":
            project.execute(f"SELECT pg_cancel_backend(pid) FROM ({BUILDING}) one")
        ended = running.end()
    assert ended.code == 7, ended
    assert index_is_valid(project) == [False]
    assert project.steps()["expand 0002"] == "failed"

    project.ok("migrate", "expand")

    assert index_is_valid(project) == [True]


def test_a_unique_index_over_equal_rows_is_7_with_the_query_that_lists_them_and_built_when_they_are_gone(
    project: AlembicProject,
) -> None:
    with_users(project, UNIQUE)
    project.execute("UPDATE users SET name = 'twin' WHERE id IN (1, 2)")

    failed = project.json("migrate", "expand", code=7)

    assert "could not create unique index" in failed["error"]["because"]
    assert "twin" not in failed["error"]["because"]  # what rows hold is nobody's business here
    assert True not in index_is_valid(project)
    query = failed["error"]["next"].partition("found by: ")[2].partition(";")[0]
    assert project.rows(query) == [("twin", 2)]
    project.execute("INSERT INTO users (name) VALUES ('twin')")  # nothing that failed keeps it out
    project.execute("DELETE FROM users WHERE id > 500")
    project.execute("UPDATE users SET name = 'other twin' WHERE id = 2")
    project.ok("migrate", "expand")
    assert index_is_valid(project) == [True]


@pytest.mark.long
def test_a_unique_index_that_is_cut_short_when_it_is_nearly_done_keeps_nothing_out(project: AlembicProject) -> None:
    """By then it has to be right for every new row, and it would go on being that."""
    with_users(project, UNIQUE)
    project.execute("CREATE TABLE elsewhere ()")
    with project.connect() as other:
        other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        other.execute("SELECT FROM elsewhere")
        running = building(project)
        waits = "SELECT pid FROM pg_stat_progress_create_index WHERE phase = 'waiting for old snapshots'"
        until(lambda: project.rows(waits), what="waiting for the snapshot")
        project.execute(f"SELECT pg_cancel_backend(pid) FROM ({waits}) one")
        ended = running.end()
        other.rollback()

    assert ended.code == 7, ended
    assert index_is_valid(project) == []
    project.execute("INSERT INTO users (name) SELECT name FROM users WHERE id = 1")


@pytest.mark.long
def test_an_index_build_waits_for_an_old_snapshot_of_another_table_names_it_and_leaves_nothing_invalid(
    project: AlembicProject,
) -> None:
    with_users(project, PLAIN)
    project.execute("CREATE TABLE elsewhere ()")
    with project.connect() as other:
        other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        other.execute("SELECT FROM elsewhere")
        running = building(project)
        waits = "SELECT FROM pg_stat_progress_create_index WHERE phase = 'waiting for old snapshots'"
        until(lambda: project.rows(waits), what="waiting for the snapshot")
        heard = running.process.stderr
        assert heard is not None
        line = ""
        while "waits, without keeping anybody waiting, until it ends: " not in line:
            line = heard.readline()
            assert line, running.end()
        assert f"pid {other.info.backend_pid} (role " in line
        assert "SELECT FROM elsewhere" in line
        other.rollback()
    ended = running.end()

    assert ended.code == 0, ended
    assert index_is_valid(project) == [True]
