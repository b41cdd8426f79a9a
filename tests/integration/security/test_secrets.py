"""A password shows up nowhere, whatever it is, wherever it was written, and however the command ends."""

import re
import string
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg.conninfo import make_conninfo

from tests.fixtures.forked import run_ec
from tests.fixtures.project import CREATE_USERS, INI, LONGEST, Ran

# Each third of a password has a mark, so that no piece of it slips through where it was cut at a special character.
MARKS = ("Xyz1", "Xyz2", "Xyz3")
PIECES = st.text(string.ascii_letters + string.digits + "!$*+,;-._~@#?&=/:%'\"\\ (){}[]<>|^`ü", max_size=6)
PASSWORDS = st.tuples(PIECES, PIECES, PIECES).map(
    lambda pieces: "".join(mark + piece for mark, piece in zip(MARKS, pieces, strict=True))
)
COMMANDS = (("status",), ("colour", "show"), ("doctor",), ("migrate", "expand"), ("backfill", "--json"))


def target(project):
    """The server's address without a login."""
    return psycopg.conninfo.conninfo_to_dict(project.dsn)


def written(project, password):
    """The ways to give a password that isn't the right one: the variables of a process for each."""
    there = target(project)
    place = f"{there['host']}:{there['port']}/{there['dbname']}"
    quoted = quote(password, safe="")
    conninfo = {key: there[key] for key in ("host", "port", "dbname", "user")}
    service = project.folder.parent / "services.conf"
    # a service file has no quotes, and ends a value at the line's end
    service.write_text(
        "[ours]\n" + "".join(f"{key}={value}\n" for key, value in conninfo.items()) + f"password={password}\n", "utf-8"
    )
    passfile = project.folder.parent / "pgpass"
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    passfile.write_text(f"*:*:*:*:{escaped}\n", "utf-8")
    passfile.chmod(0o600)
    user = there["user"]
    return {
        "in the URL": {"EC_DATABASE_URL": f"postgresql://{user}:{quoted}@{place}"},
        "with a driver": {"EC_DATABASE_URL": f"postgresql+psycopg://{user}:{quoted}@{place}"},
        "in the query": {"EC_DATABASE_URL": f"postgresql://{user}@{place}?password={quoted}"},
        "of a key": {"EC_DATABASE_URL": f"postgresql://{user}@{place}?sslpassword={quoted}&password={quoted}"},
        "as words": {"EC_DATABASE_URL": make_conninfo("", **conninfo, password=password)},
        "not escaped": {"EC_DATABASE_URL": f"postgresql://{user}:{password}@{place}"},
        "not escaped, as words": {"EC_DATABASE_URL": f"host={there['host']} password={password} user={user}"},
        "as the port": {"EC_DATABASE_URL": f"postgresql://{user}@127.0.0.1:{quoted}/x"},
        "for nobody": {"EC_DATABASE_URL": f"postgresql://{user}:{quoted}@no-such-host.invalid/x"},
        "for another kind": {"EC_DATABASE_URL": f"mysql://{user}:{quoted}@{place}"},
        "by PGPASSWORD": {"EC_DATABASE_URL": f"postgresql://{user}@{place}", "PGPASSWORD": password},
        "by a passfile": {"EC_DATABASE_URL": f"postgresql://{user}@{place}", "PGPASSFILE": str(passfile)},
        "by a service": {"EC_DATABASE_URL": "service=ours", "PGSERVICEFILE": str(service)},
        "in alembic.ini": {"EC_DATABASE_URL": None},
    }


def assert_hidden(project, ran, where):
    """No piece of it was printed, or written into a file that a command makes."""
    made = [file.read_text("utf-8") for file in (project.folder.parent / "temporary").rglob("*") if file.is_file()]
    for text in (ran.stdout, ran.stderr, *made):
        assert not (shown := surroundings(text)), (where, shown)


def surroundings(text):
    """Each place where a piece of it stands."""
    return [text[max(0, found.start() - 80) : found.end() + 40] for found in re.finditer("|".join(MARKS), text)]


@settings(max_examples=1, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@example("Xyz1@Xyz2/Xyz3").via("cut by SQLAlchemy, which then takes the rest for a host")
@given(PASSWORDS)
def test_a_password_is_shown_nowhere(project, password):
    try_everywhere(project, password, COMMANDS[:2])


@pytest.mark.long
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(PASSWORDS)
def test_a_password_is_shown_nowhere_by_any_command(project, password):
    try_everywhere(project, password, COMMANDS)


def try_everywhere(project, password, commands):
    user, place = target(project)["user"], "127.0.0.1:1/x"
    escaped = quote(password, safe="").replace("%", "%%")
    (project.folder / "alembic.ini").write_text(INI.format(url=f"postgresql://{user}:{escaped}@{place}"), "utf-8")
    project.revision("0001", CREATE_USERS)
    for where, variables in written(project, password).items():
        for command in commands:
            ran = project.ec(*command, variables=variables)
            assert ran.code in (1, 2, 6), (where, command, ran)
            assert_hidden(project, ran, (where, command))


def dump(project):
    """Every row of the ledger, as text."""
    tables = project.rows(
        "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('ec') AND relkind = 'r' ORDER BY 1"
    )
    return {name: project.rows(f"SELECT t::text FROM ec.{name} t") for (name,) in tables}


def test_what_a_failed_step_said_is_kept_without_its_password(project):
    body = """
    def upgrade():
        op.execute("DO $$ BEGIN RAISE EXCEPTION 'no server at host=db password=Xyz1 user=me'; END $$")

    def downgrade(): pass
    """
    project.revision("0001", body)
    before = {"SHOP_PASSWORD": "no server at host"}  # any secret of the environment, whatever the words around it

    ran = project.ec("migrate", "expand", "--json", variables=before)

    assert ran.code == 7
    assert "password=***" in ran.json["error"]["because"]
    kept = str(dump(project))
    assert "password=***" in kept
    for text in (kept, ran.stdout, ran.stderr, project.ec("log", "--json").stdout, project.ec("status").stdout):
        assert "Xyz1" not in text
        assert "no server at host" not in text


def test_the_statement_of_a_blocker_is_shown_without_its_password(project):
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    project.revision("0002", 'def upgrade():\n    op.drop_table("users")\ndef downgrade(): pass\n', after="0001")
    statement = "LOCK TABLE users; SELECT 1 AS note_on_password 'Xyz1'".replace(
        " AS note_on_password", " -- ALTER ROLE me PASSWORD"
    )

    with project.transaction(statement + "\n"):
        for options in ((), ("--json",)):
            ran = project.ec("migrate", "expand", "--lock-timeout", "200ms", "--lock-budget", "1s", *options)
            assert ran.code == 6
            assert "PASSWORD '***'" in ran.stderr
            assert "Xyz1" not in ran.stdout + ran.stderr


NOISY = """
import logging
import os

url = os.environ["SHOP_DB"]
logging.basicConfig()
try:
    int(url)
except ValueError:
    logging.getLogger("env").exception("cannot use %s", url)
"""


@pytest.mark.parametrize("how", ["", "print(url)", "raise RuntimeError(url)"])
def test_what_env_py_says_of_its_url_is_shown_without_the_password(project, how):
    url = "postgresql://me:Xyz1Xyz2@127.0.0.1:1/x"
    project.write("migrations/env.py", f"{NOISY}\n{how}\n")

    variables = project.environment({"SHOP_DB": url, "EC_DATABASE_URL": None})
    ran = Ran(*run_ec(("status", "--json"), project.folder, variables, seconds=LONGEST))  # its traceback is its own

    assert ran.code == 2, ran
    assert "Traceback" in ran.stderr
    assert "cannot use postgresql://me:***@127.0.0.1:1/x" in ran.stderr
    assert_hidden(project, ran, how)
