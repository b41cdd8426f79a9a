"""The runner's role and the application's, as the how-to page makes them: each may do what it needs, and no more."""

import secrets

import psycopg
import pytest
from psycopg import sql

from tests.fixtures.project import CREATE_USERS, rename_name
from tests.fixtures.roles import recipe
from tests.fixtures.servers import with_parameters


@pytest.fixture
def application(database):
    """The DSN of an application's role; and what lets it read the ledger, to be called when there is one."""
    names = {"shop_runner": database.role, "shop_app": f"ec_app_{secrets.token_hex(4)}", "shop": database.name}
    password = secrets.token_urlsafe(12)
    role = sql.Identifier(names["shop_app"])

    def run(marker):
        with psycopg.connect(database.superuser_dsn, autocommit=True) as admin:
            for statement in recipe(marker, names, password):
                admin.execute(statement)

    run("application")
    yield with_parameters(database.dsn, user=names["shop_app"], password=password), run
    with psycopg.connect(database.superuser_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP OWNED BY {0}").format(role))
        admin.execute(sql.SQL("DROP ROLE {0}").format(role))


def refused(dsn, statement):
    with (
        psycopg.connect(dsn, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def test_a_change_lives_with_a_runner_that_is_no_superuser_and_an_application_that_may_alter_nothing(
    project, application
):
    app, _ = application
    assert project.rows("SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user") == [
        (False, False, False)
    ]
    project.revision("0001", CREATE_USERS)
    project.revision("0002", rename_name("1ms"), after="0001")
    project.ok("migrate", "expand")
    with psycopg.connect(app, autocommit=True) as connection:
        connection.execute("INSERT INTO users (name) VALUES ('ada')")  # the Sync's triggers run for it
        assert connection.execute("SELECT display_name FROM users").fetchall() == [("ada",)]
    for statement in (
        "ALTER TABLE users ADD COLUMN mine int",
        "DROP TABLE users",
        "ALTER TABLE users DISABLE TRIGGER USER",
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
    ):
        refused(app, statement)
    project.ok("backfill")
    project.ok("colour", "deploy", "green", "2")
    project.ok("colour", "traffic", "green=100")
    project.ok("migrate", "contract")
    with psycopg.connect(app, autocommit=True) as connection:
        connection.execute("INSERT INTO users (display_name) VALUES ('grace')")
    found = {risk["name"] for risk in project.json("doctor")["risks"]}
    assert found <= {"sees-too-little", "no-statement-statistics"}


def test_the_application_can_neither_write_nor_read_the_ledger_unless_it_is_let_read(project, application):
    app, run = application
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    project.ok("colour", "deploy", "blue", "1")
    tables = [
        name
        for (name,) in project.rows(
            "SELECT relname FROM pg_class WHERE relnamespace = 'ec'::regnamespace AND relkind = 'r'"
        )
    ]
    assert {"event", "release", "step"} <= set(tables)
    for table in tables:
        refused(app, f"SELECT FROM ec.{table}")
    before = project.snapshot()

    run("application reads the ledger")

    project.execute("CREATE TABLE ec.of_a_later_version ()")
    with psycopg.connect(app, autocommit=True) as connection:
        connection.execute("SELECT FROM ec.of_a_later_version")
    project.execute("DROP TABLE ec.of_a_later_version")
    for table in tables:
        with psycopg.connect(app, autocommit=True) as connection:
            connection.execute(f"SELECT FROM ec.{table}".encode())
        for statement in (
            f"DELETE FROM ec.{table}",
            f"TRUNCATE ec.{table} CASCADE",
            f"INSERT INTO ec.{table} DEFAULT VALUES",
        ):
            refused(app, statement)
        refused(app, f"ALTER TABLE ec.{table} DISABLE TRIGGER USER")
        refused(app, f"DROP TABLE ec.{table}")
    refused(app, "UPDATE ec.release SET last_traffic = NULL")
    after = project.snapshot()
    assert after == before
    # nor by way of ec, with the application's login
    project.revision("0002", rename_name("1ms"), after="0001")
    for command in (("migrate", "expand"), ("colour", "traffic", "blue=100"), ("undo", "0001")):
        ran = project.ec(*command, variables={"EC_DATABASE_URL": app})
        assert ran.code == 2, ran
    assert project.snapshot() == before


def test_a_run_is_refused_while_the_application_may_write_the_ledger(project, application):
    app, run = application
    role = psycopg.conninfo.conninfo_to_dict(app)["user"]
    project.revision("0001", CREATE_USERS)
    project.execute(f"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {role}")  # meant for its own tables
    project.ok("migrate", "expand")  # the ledger is made: nobody but us reaches its schema yet
    project.ok("colour", "deploy", "blue", "1")
    run("application reads the ledger")
    with psycopg.connect(app, autocommit=True) as connection:
        connection.execute("UPDATE ec.release SET last_traffic = NULL")
    project.revision("0002", rename_name("1ms"), after="0001")
    before = project.snapshot()

    for command in (("migrate", "expand"), ("backfill",), ("migrate", "contract"), ("undo", "0001")):
        ran = project.ec(*command)
        assert ran.code == 2, ran
        assert f"because: role {role} may write to ec.approval and" in ran.stderr
    assert project.snapshot() == before
    project.ok("colour", "traffic", "blue=100")  # what is so may always be said

    project.ok("migrate", "expand", variables={"EC_MAINTENANCE_ROLES": role})
    assert project.ec("backfill").code == 2
    project.execute(ran.stderr.partition("next:")[2].partition(";")[0])
    project.ok("backfill")


def test_who_runs_ec_as_well_is_no_stranger_to_the_ledger(project, database, make_login):
    """A member of the owner, one who has been granted what a group of ours has, and who can't reach schema ec."""
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    member, stranger = (psycopg.conninfo.conninfo_to_dict(make_login(owner=own))["user"] for own in (True, False))
    with psycopg.connect(database.superuser_dsn, autocommit=True) as admin:
        for grant in (
            f"GRANT INSERT ON ALL TABLES IN SCHEMA ec TO {member}",
            f"GRANT INSERT ON ALL TABLES IN SCHEMA ec TO {stranger}",
        ):
            admin.execute(grant)
    project.ok("migrate", "expand")

    project.execute(f"GRANT USAGE ON SCHEMA ec TO {stranger}")
    assert project.ec("migrate", "expand").code == 2


def test_not_even_the_owner_changes_the_history(project):
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    for statement in ("UPDATE ec.event SET person = 'nobody'", "DELETE FROM ec.event", "TRUNCATE ec.event"):
        refused(project.dsn, statement)
