"""A standby replays what the primary locks, and nothing protects its readers: a step waits until none is in its way."""

from __future__ import annotations

import psycopg
import pytest

from tests.faults.changes import with_users
from tests.fixtures.project import ADD_NOTES, AlembicProject, ProjectMaker, until
from tests.fixtures.servers import database_on, with_parameters
from tests.fixtures.standby import Pair

pytestmark = pytest.mark.needs_cluster

CONFIGURED = '[tool.expandcontract.replicas.reports]\naddress_env = "REPORTS"\n'
BUDGET = ("--lock-timeout", "200ms", "--lock-budget", "1s")


@pytest.fixture
def project(pair: Pair, make_project: ProjectMaker) -> AlembicProject:
    """Notes are to be added to the users of the primary; where its standby is, REPORTS says."""
    project = with_users(make_project(database_on(pair.primary)), ADD_NOTES)
    project.variables["REPORTS"] = with_parameters(project.dsn, port=str(pair.standby.port))
    until(lambda: pair.behind() == 0, what="the standby has everything")
    return project


def report_on(project: AlembicProject, table: str) -> psycopg.Connection[tuple[object, ...]]:
    """A transaction that has read a table on the standby and stays open."""
    report = psycopg.connect(project.variables["REPORTS"] or "", application_name="a long report")
    report.execute("SELECT count(*) FROM users" if table == "users" else "SELECT count(*) FROM alembic_version")
    report.execute("SELECT pg_sleep(0.3)")  # older than a lock_timeout
    return report


def test_a_step_waits_for_a_long_reader_on_a_standby_and_locks_nothing_meanwhile(
    pair: Pair, project: AlembicProject
) -> None:
    project.write("pyproject.toml", CONFIGURED)
    report = report_on(project, "users")
    with psycopg.connect(project.variables["REPORTS"] or "", autocommit=True) as reader:
        reader.execute("SET lock_timeout = '100ms'")

        blocked = project.ec("migrate", "expand", *BUDGET)

        assert blocked.code == 6, blocked
        assert f"blocked by pid {report.info.backend_pid} on replica reports (role " in blocked.stderr
        assert "application a long report" in blocked.stderr
        until(lambda: pair.behind() == 0, what="the standby replays on")
        reader.execute("SELECT count(*) FROM users")  # nobody waits behind the report
        assert "notes" not in project.columns("users")

        report.rollback()
        project.ok("migrate", "expand", *BUDGET)
        report.close()


@pytest.mark.long
def test_without_it_readers_there_wait_behind_the_report(pair: Pair, project: AlembicProject) -> None:
    """What the wait is good for: no replica is configured, so nobody is asked."""
    report = report_on(project, "users")

    project.ok("migrate", "expand", *BUDGET)

    with psycopg.connect(project.variables["REPORTS"] or "", autocommit=True) as reader:
        reader.execute("SET lock_timeout = '100ms'")

        def waits() -> bool:
            try:
                reader.execute("SELECT count(*) FROM users")
            except psycopg.errors.LockNotAvailable:
                return True
            return False

        until(waits, what="a reader that waits")
        report.close()
        until(lambda: not waits(), what="the standby replays on")


@pytest.mark.long
def test_a_reader_of_another_table_and_a_replica_that_is_gone_hold_nothing_up(
    pair: Pair, project: AlembicProject
) -> None:
    project.write("pyproject.toml", CONFIGURED)
    report = report_on(project, "alembic_version")
    project.ok("migrate", "expand", *BUDGET)
    report.close()

    pair.standby.stop()
    project.revision("0003", "def upgrade():\n    op.drop_column('users', 'notes')\n", after="0002")
    project.ok("migrate", "expand", *BUDGET)


@pytest.mark.long
def test_a_standby_that_is_late_is_told_of_before_anything_is_locked(pair: Pair, project: AlembicProject) -> None:
    with psycopg.connect(pair.primary.dsn(), autocommit=True) as admin:
        admin.execute("GRANT pg_monitor TO shop_runner")
    pair.standby.pause_replay()
    project.execute("CREATE TABLE bulk AS SELECT i FROM generate_series(1, 300000) i")
    limits = {"EC_HEALTH_REPLICATION_LAG": "slow 1MB, stop 2MB"}

    ran = project.ok("migrate", "expand", variables=limits)

    assert "replica-1" in ran.stderr
    assert "so much later its readers wait for what is locked now" in ran.stderr
    pair.standby.resume_replay()
