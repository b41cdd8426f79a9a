"""After a failover: the old primary comes back, or two servers are written, or the ledger's last words may be lost."""

from __future__ import annotations

import psycopg
import pytest

from tests.fixtures.project import ADD_NOTES, CREATE_USERS, AlembicProject, ProjectMaker, rename_name, until
from tests.fixtures.servers import Database, database_on, with_parameters
from tests.fixtures.standby import Pair

pytestmark = pytest.mark.needs_cluster


def several(first: str, second: str) -> str:
    """An address with the hosts of both."""
    ports = [psycopg.conninfo.conninfo_to_dict(dsn)["port"] for dsn in (first, second)]
    hosts = {"host": "127.0.0.1,127.0.0.1", "port": ",".join(map(str, ports))}
    return with_parameters(first, **hosts, target_session_attrs="read-write")


@pytest.fixture
def database(pair: Pair) -> Database:
    return database_on(pair.primary)


@pytest.fixture
def on_the_standby(pair: Pair, database: Database) -> str:
    """The address of the same database there."""
    return with_parameters(database.dsn, port=str(pair.standby.port))


@pytest.fixture
def project(make_project: ProjectMaker, database: Database) -> AlembicProject:
    """The rename is expanded and filled, and green, which ships it, is live. env.py takes its address from URL."""
    project = make_project(database)
    env_py = project.folder / "migrations" / "env.py"
    env_py.write_text(env_py.read_text().replace("EC_DATABASE_URL", "URL"))
    project.variables["URL"] = project.dsn
    project.revision("0001", CREATE_USERS, title="create users")
    project.revision("0002", rename_name("1ms"), after="0001", title="rename")
    project.ok("migrate", "expand")
    project.ok("backfill")
    project.ok("colour", "deploy", "green", "2")
    project.ok("colour", "traffic", "green=100")
    return project


def fail_over(pair: Pair, project: AlembicProject, to: str) -> None:
    """The primary dies, its standby is promoted, and the project's addresses lead there."""
    until(lambda: pair.behind() == 0, what="the standby has everything")
    pair.primary.kill()
    with pair.standby.ask() as standby:
        standby.execute("SELECT pg_promote()")
    project.dsn = project.variables["URL"] = to


def columns(dsn: str) -> list[str]:
    query = "SELECT attname FROM pg_attribute WHERE attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped"
    with psycopg.connect(dsn) as connection:
        return [name for (name,) in connection.execute(query)]


def test_an_old_primary_that_comes_back_is_told_from_the_new_one_and_nothing_is_written(
    pair: Pair, project: AlembicProject, database: Database, on_the_standby: str
) -> None:
    project.revision("0003", ADD_NOTES, after="0002", title="notes")
    fail_over(pair, project, on_the_standby)
    both = {"EC_DATABASE_URL": several(database.dsn, on_the_standby)}  # libpq takes the first that may be written
    project.ok("migrate", "expand", "--dry-run", variables=both)

    pair.primary.start()
    (refusal,) = project.json("migrate", "expand", code=3, variables=both)["refusals"]

    old, new = f"127.0.0.1:{pair.primary.port}", f"127.0.0.1:{pair.standby.port}"
    assert refusal["code"] == "split-brain"
    assert f"{old} (timeline 1) and {new} (timeline 2) are both primaries of system" in refusal["because"]
    assert f"{new} was promoted after the timelines parted, so {old} is the old one" in refusal["because"]
    assert refusal["next"].startswith(f"stop {old}")
    contract = project.json("migrate", "contract", code=3, variables=both)
    assert "split-brain" in {one["code"] for one in contract["refusals"]}
    assert "split-brain" in {risk["name"] for risk in project.json("doctor", code=1, variables=both)["risks"]}
    assert {"notes"}.isdisjoint(columns(database.dsn) + columns(on_the_standby))
    # whichever of the two is meant: the other may be written as well
    turned = {"EC_DATABASE_URL": several(on_the_standby, database.dsn)}
    assert project.json("migrate", "expand", code=3, variables=turned)["refusals"][0]["next"] == refusal["next"]
    # a configured replica is asked as well
    project.write("pyproject.toml", '[tool.expandcontract.replicas.reports]\naddress_env = "REPORTS"\n')
    alone = {"EC_DATABASE_URL": database.dsn, "URL": database.dsn, "REPORTS": on_the_standby}
    (refusal,) = project.json("migrate", "expand", code=3, variables=alone)["refusals"]
    assert "replica reports (timeline 2)" in refusal["because"]

    pair.primary.stop()
    project.ok("migrate", "expand", variables=both)
    assert "notes" in columns(on_the_standby)


@pytest.mark.long
def test_a_step_whose_session_is_on_the_old_primary_is_refused_though_that_has_the_same_ledger(
    pair: Pair, project: AlembicProject, database: Database, on_the_standby: str
) -> None:
    project.revision("0003", ADD_NOTES, after="0002", title="notes")
    fail_over(pair, project, on_the_standby)
    pair.primary.start()

    ran = project.ec("migrate", "expand", variables={"URL": database.dsn})

    assert ran.code == 2, ran
    assert "env.py connects to another server than ec" in ran.stderr
    assert f"of 127.0.0.1:{pair.standby.port} holds (timeline 2)" in ran.stderr
    assert {"notes"}.isdisjoint(columns(database.dsn) + columns(on_the_standby))
    project.ok("migrate", "expand")


def test_after_a_failover_a_contract_wants_to_be_told_again_who_has_the_traffic(
    pair: Pair, project: AlembicProject, on_the_standby: str
) -> None:
    fail_over(pair, project, on_the_standby)

    (refusal,) = project.json("migrate", "contract", code=3)["refusals"]

    assert refusal["code"] == "failover"
    assert "(timeline 2) since the traffic was recorded (timeline 1)" in refusal["because"]
    assert "ec colour traffic green=100" in refusal["next"]
    assert "name" in project.columns("users")
    project.ok("colour", "traffic", "green=100")
    project.ok("migrate", "contract")
    assert "name" not in project.columns("users")
