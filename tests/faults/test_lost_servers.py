"""Servers that restart, are killed, are full, are just starting, or are replaced by their standby."""

from __future__ import annotations

import os

import psycopg
import pytest

from expandcontract.proof.installation import Installation
from expandcontract.proof.scratch_server import ScratchServer
from tests.faults.changes import begun, go_on, with_users
from tests.fixtures.project import ADD_NOTES, CREATE_USERS, AlembicProject, ProjectMaker, rename_name, until
from tests.fixtures.servers import database_on, ram_disk, with_parameters
from tests.fixtures.standby import Pair
from tests.fixtures.wire import wire_to

LONG = pytest.mark.long


def test_a_session_that_is_ended_in_mid_statement_is_7_and_nothing_is_left(project: AlembicProject) -> None:
    with_users(project)
    running, pid = begun(project)

    project.execute(f"SELECT pg_terminate_backend({pid})")
    ended = running.end()

    assert ended.code == 7, ended
    assert "terminating connection due to administrator command" in ended.stderr
    assert "notes" not in project.columns("users")
    go_on(project)
    project.ok("migrate", "expand")


@pytest.mark.parametrize("how", [pytest.param("fast", marks=LONG), pytest.param("immediate", marks=LONG), "kill"])
def test_a_server_that_goes_down_in_mid_statement_is_7_however_it_goes(
    cluster: ScratchServer, make_project: ProjectMaker, how: str
) -> None:
    project = with_users(make_project(database_on(cluster)))
    running, _ = begun(project)

    if how == "kill":
        cluster.kill()
        cluster.start()
    else:
        cluster.restart(how)  # type: ignore[arg-type]
    ended = running.end()

    assert ended.code == 7, ended
    assert "next:    " in ended.stderr
    assert "notes" not in project.columns("users")
    go_on(project)
    project.ok("migrate", "expand")
    assert project.columns("users") == ["id", "name", "notes"]


@pytest.mark.long
@pytest.mark.needs_cluster
def test_a_server_without_a_free_connection_is_6_in_its_own_words(
    installation: Installation, make_project: ProjectMaker
) -> None:
    settings = {"max_connections": 8, "superuser_reserved_connections": 3}
    with ScratchServer(installation, settings=settings, parent=ram_disk()) as server:
        project = with_users(make_project(database_on(server)), ADD_NOTES)
        clients = []
        try:
            while True:
                clients.append(psycopg.connect(project.dsn))
        except psycopg.OperationalError:
            pass

        full = project.json("migrate", "expand", code=6)
        for client in clients:
            client.close()

        assert "connection" in full["error"]["because"]
        assert full["error"]["next"] == "run the same command again"
        until(lambda: project.ec("migrate", "expand").code == 0, what="a free connection")


@pytest.mark.long
@pytest.mark.needs_cluster
def test_a_server_that_is_not_accepting_connections_yet_is_6(
    installation: Installation, make_project: ProjectMaker
) -> None:
    with ScratchServer(installation, settings={"hot_standby": "off"}, parent=ram_disk()) as server:
        project = with_users(make_project(database_on(server)), ADD_NOTES)
        server.stop()
        signal = server.data_dir / "standby.signal"  # it replays for ever
        signal.touch()
        owner = server.data_dir.stat()
        os.chown(signal, owner.st_uid, owner.st_gid)
        server._launch()

        def answers() -> str:
            try:
                psycopg.connect(server.dsn()).close()
            except psycopg.OperationalError as error:
                return str(error)
            return ""

        until(lambda: "database system is" in answers(), what="a server that starts")
        told = project.json("migrate", "expand", code=6)
        assert "database system is" in told["error"]["because"]


@pytest.mark.long
@pytest.mark.needs_cluster
def test_after_a_failover_in_the_midst_of_a_backfill_rows_and_ledger_agree_and_the_lost_tail_is_done_again(
    pair: Pair, make_project: ProjectMaker
) -> None:
    rows = 20_000
    project = make_project(database_on(pair.primary))
    project.revision("0001", CREATE_USERS, title="create users")
    project.ok("migrate", "expand")
    project.execute(f"INSERT INTO users (name) SELECT 'person ' || i FROM generate_series(1, {rows}) i")
    project.revision("0002", rename_name("1ms"), after="0001", title="rename")
    project.ok("migrate", "expand")
    project.ok("colour", "deploy", "green", "2")
    project.ec("colour", "traffic", "green=100")
    done = "SELECT count(*) FROM ec.backfill_range WHERE state = 'done'"
    with wire_to(project.dsn) as wire:
        # by default it would now wait five minutes for the standby that it knew
        slowly = ("--rate", "8000", "--ignore", "standbys")
        running = project.start("backfill", *slowly, variables={"EC_DATABASE_URL": wire.dsn})
        until(lambda: project.value(done) >= 2, what="two ranges")
        pair.standby.pause_replay()
        before = project.value(done)
        until(lambda: project.value(done) >= before + 2, what="a tail that the standby hasn't replayed")
        pair.primary.kill()
        pair.standby.resume_replay()
        with pair.standby.ask() as standby:
            standby.execute("SELECT pg_promote()")
        wire.target = project.dsn = with_parameters(project.dsn, port=str(pair.standby.port))
        wire.cut()
        first = running.end()
    assert first.code in (0, 6, 7), first

    project.ok("backfill", "--rate", "max", "--ignore", "standbys")

    assert project.value("SELECT count(*) FROM users WHERE display_name IS DISTINCT FROM name") == 0
    written = project.value("SELECT sum(rows_written) FROM ec.backfill_range")
    assert written == rows
    # nobody knows what else was told to the ledger in that tail
    assert [one["code"] for one in project.json("migrate", "contract", code=3)["refusals"]] == ["failover"]
    project.ok("colour", "traffic", "green=100")
    project.ok("migrate", "contract")
    assert project.value("SELECT count(*) FROM users WHERE display_name LIKE 'person %'") == rows
