"""No server, the wrong one, or one that doesn't let us in: the exit code says which, and no password is ever shown."""

import os
from datetime import datetime
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.fixtures.project import CREATE_USERS, until
from tests.fixtures.servers import database_on, with_parameters

SECRET = "p@ss/w%rd:#'x y"


def fails(project, url, *, code, command=("status",)):
    """Run the command with that URL; whatever the file system got of it doesn't hold the secret either."""
    ran = project.ec(*command, "--json", variables={"EC_DATABASE_URL": url})
    assert ran.code == code, (url, ran)
    temporary = project.folder.parent / "temporary"
    for file in temporary.rglob("*"):
        assert SECRET not in file.read_text(), file
    return ran.json["error"]


@pytest.mark.parametrize("command", [("status",), ("colour", "show")], ids=["by env.py", "directly"])
def test_a_wrong_password_is_2_and_shown_nowhere_wherever_it_stands(project, command):
    """`status` connects by way of env.py and its SQLAlchemy engine, `colour show` at once."""
    encoded = quote(SECRET, safe="")
    project.secrets = (SECRET, encoded, "w%rd", "ss/w")
    plain = with_parameters(project.dsn, password="")
    parameters = {**conninfo_to_dict(plain), "password": SECRET}
    urls = [with_parameters(project.dsn, password=SECRET), f"{plain}?password={encoded}"]
    if command != ("status",):  # env.py hands these to SQLAlchemy, which knows only URLs
        urls += [
            psycopg.conninfo.make_conninfo("", **parameters),
            with_parameters(project.dsn, password=SECRET).replace("postgresql://", "postgresql+asyncpg://"),
            f"{plain.replace('postgresql://', 'postgresql+psycopg2://')}?password={encoded}",
        ]

    for url in urls:
        error = fails(project, url, code=2, command=command)
        assert error["kind"] == "ServerUnfit"
        assert "password authentication failed" in error["because"]


def test_a_url_that_cannot_be_read_is_2_and_its_password_is_not_repeated(project):
    project.secrets = ("s3cret",)
    for url in (
        "postgresql://me:s3cret@127.0.0.1:notaport/x",
        "postgresql//me:s3cret@127.0.0.1/x",
        "mysql://me:s3cret@127.0.0.1/x",
        "host=127.0.0.1 password=s3cret nonsense",
        "postgresql://me@127.0.0.1/x?password=s3cret&nonsense=1",
        "postgresql://me:pa@s3cret@127.0.0.1:1/x",
    ):
        for command in (("status",), ("colour", "show")):
            ran = project.ec(*command, "--json", variables={"EC_DATABASE_URL": url})
            assert ran.code in (2, 6), (url, ran)


def test_a_password_in_alembic_ini_is_not_shown_when_the_file_is_wrong(project):
    project.secrets = ("40s3cret", "s3cret")
    project.variables["EC_DATABASE_URL"] = None
    ini = project.folder / "alembic.ini"
    good = ini.read_text()
    for url in ("postgresql://me:p%40s3cret@127.0.0.1:1/x", "postgresql://me:s3cret@127.0.0.1:1/x"):
        ini.write_text(good.replace("postgresql://nobody@127.0.0.1:1/nowhere", url))
        for command in (("status",), ("colour", "show")):
            assert project.ec(*command, "--json").code in (2, 6)


def test_a_server_that_does_not_exist_is_2_and_one_that_does_not_answer_is_6(project):
    database = with_parameters(project.dsn, dbname="no such database")
    nowhere = with_parameters(project.dsn, host="no-such-host.invalid")
    silent = with_parameters(project.dsn, host="127.0.0.1", port="1")
    for url, code in ((database, 2), (nowhere, 2), (silent, 6)):
        for command in (("status",), ("colour", "show"), ("init",)):
            fails(project, url, code=code, command=command)


def test_a_standby_is_refused_before_anything_is_asked_of_it(cluster, make_project):
    project = make_project(database_on(cluster))
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    project.ok("colour", "deploy", "blue", "1")
    cluster.stop()
    signal = cluster.data_dir / "standby.signal"
    signal.touch()
    owner = cluster.data_dir.stat()
    os.chown(signal, owner.st_uid, owner.st_gid)
    cluster._launch()  # `start` waits for a primary

    def answers():
        try:
            psycopg.connect(cluster.dsn()).close()
        except psycopg.OperationalError:
            return False
        return True

    until(answers, what="the standby")
    for command in (("migrate", "expand"), ("backfill",), ("undo", "0001"), ("colour", "traffic", "blue=100")):
        ran = project.ec(*command)
        assert ran.code == 2, ran
        assert "is a standby\nbecause: it is in recovery, so nothing can be written\n" in ran.stderr
    assert project.runners() == []


def test_a_role_that_may_only_read_is_named_with_the_setting(project, make_login):
    reader = make_login(owner=True, default_transaction_read_only="on")
    project.revision("0001", CREATE_USERS)
    before = project.snapshot()

    for command in (("init",), ("migrate", "expand"), ("colour", "deploy", "blue", "1")):
        error = fails(project, reader, code=2, command=command)
        assert error["kind"] == "ServerUnfit"
        assert "read-only for us" in error["message"]
        assert error["because"] == "default_transaction_read_only is on"

    assert project.snapshot() == before


def test_a_role_without_the_rights_is_told_what_it_lacks(project, make_login):
    stranger = make_login()
    project.revision("0001", CREATE_USERS)
    before = project.snapshot()
    for command in (("init",), ("migrate", "expand"), ("colour", "deploy", "blue", "1")):
        error = fails(project, stranger, code=2, command=command)
        assert "permission denied for database" in error["because"]
    assert project.snapshot() == before

    # the ledger is there, and not for this one
    project.ok("migrate", "expand")
    project.ok("colour", "deploy", "blue", "1")
    before = project.snapshot()
    for command in (("migrate", "expand"), ("status",), ("colour", "check", "blue"), ("colour", "traffic", "blue=100")):
        error = fails(project, stranger, code=2, command=command)
        assert error["because"].startswith("permission denied for ")
    assert project.snapshot() == before


def test_time_outs_of_the_role_do_not_cut_a_run_short(project, make_login):
    hasty = make_login(
        owner=True,
        idle_session_timeout="300ms",
        idle_in_transaction_session_timeout="300ms",
        lock_timeout="1ms",
    )
    project.dsn = hasty
    project.secrets = (str(conninfo_to_dict(hasty)["password"]),)
    project.revision("0001", 'def upgrade():\n    op.execute("SELECT pg_sleep(0.8)")\ndef downgrade(): pass\n')

    project.ok("migrate", "expand")

    assert project.steps() == {"expand 0001": "done"}


def test_how_a_login_begins_its_transactions_changes_nothing_about_a_step(each_database, make_project):
    """Within a snapshot that was taken before the locks, the gate would be asked about the past."""
    settings = ["default_transaction_isolation=serializable", "default_transaction_deferrable=on"]
    if each_database.major >= 17:
        settings.append("transaction_timeout=500ms")
    options = " ".join(f"-c {setting}" for setting in settings)
    project = make_project(each_database)
    project.dsn = with_parameters(each_database.dsn, options=options)
    body = """
    def upgrade():
        op.execute("SELECT pg_sleep(0.8)")
        op.execute("CREATE TABLE seen AS SELECT current_setting('transaction_isolation') AS isolation")

    def downgrade(): pass
    """
    project.revision("0001", body)

    project.ok("migrate", "expand")

    assert project.rows("SELECT isolation FROM seen") == [("read committed",)]


def test_time_zone_and_date_style_of_the_role_change_nothing(renaming, make_login):
    """Kathmandu is 5:45 ahead, and German dates begin with the day."""
    odd = make_login(owner=True, TimeZone="Asia/Kathmandu", DateStyle="German", IntervalStyle="sql_standard")
    renaming.dsn = odd
    renaming.secrets += (str(conninfo_to_dict(odd)["password"]),)
    second = renaming.versions / "0002.py"
    text = second.read_text()
    second.unlink()
    renaming.ok("migrate", "expand")
    renaming.ok("colour", "deploy", "blue", "1")
    renaming.ok("colour", "traffic", "blue=100")
    second.write_text(text)
    renaming.ok("migrate", "expand")
    renaming.ok("backfill")
    renaming.ok("colour", "deploy", "green", "2")
    renaming.ok("colour", "traffic", "green=100")

    as_odd = renaming.json("migrate", "contract", code=4)["refusals"]
    renaming.variables["PGOPTIONS"] = "-c TimeZone=UTC -c DateStyle=ISO"
    as_usual = renaming.json("migrate", "contract", code=4)["refusals"]

    for refusal in (*as_odd, *as_usual):
        refusal["until"] = refusal["until"] and datetime.fromisoformat(refusal["until"])
    assert as_odd == as_usual
    left = "SELECT extract(epoch FROM timestamptz '{}' - max(last_traffic)) FROM ec.release WHERE tag = '1'"
    (until_then,) = {refusal["until"] for refusal in as_odd if refusal["until"]}
    assert 14 * 86400 <= renaming.value(left.format(until_then)) < 14 * 86400 + 2  # told to the second, never early
