"""Each exit code once, with what stands on stdout and stderr; and that ``--json`` always gives one object."""

import signal

import pytest

from tests.fixtures.project import ADD_NOTES, CREATE_USERS, LONGEST, until
from tests.fixtures.servers import with_parameters

FAILS = """
def upgrade():
    op.execute("SELECT 1 / 0")

def downgrade():
    pass
"""
SLEEPS = """
def upgrade():
    op.execute("SELECT pg_sleep(60)")

def downgrade():
    pass
"""
CONTRACTS = """
contract_after = "14d"

def upgrade():
    op.alter_column("users", "name", nullable=True)

def downgrade():
    pass

def contract():
    op.drop_column("users", "name")
"""


@pytest.fixture
def users(project):
    project.revision("0001", CREATE_USERS, title="create users")
    project.ok("migrate", "expand")
    return project


def test_0_done_and_nothing_to_do(project):
    project.revision("0001", CREATE_USERS, title="create users")

    done, nothing = project.ec("migrate", "expand"), project.ec("migrate", "expand")

    assert (done.code, done.stdout) == (0, "done: expand 0001\n")
    assert "expand 0001 (create users): upgrade …" in done.stderr
    assert (nothing.code, nothing.stdout, nothing.stderr) == (0, "nothing to do\n", "")


def test_1_a_check_is_not_satisfied(users):
    assert users.ec("status", "--check").code == 0
    users.revision("0002", ADD_NOTES, after="0001", title="add notes")

    found = users.ec("status", "--check")

    assert found.code == 1
    assert "expand 0002" in found.stdout
    assert users.ec("status").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--no-such-option",),
        ("nonsense",),
        ("migrate", "nonsense"),
        ("migrate", "expand", "--no-such-option"),
        ("undo",),
        ("colour", "deploy", "blue"),
        ("log", "--most", "0"),
        ("log", "--most", "many"),
    ],
)
def test_2_the_command_line_cannot_be_used(project, arguments):
    ran = project.ec(*arguments)

    assert ran.code == 2
    assert ran.stdout == ""
    assert "Error" in ran.stderr


def test_3_refused_by_order_and_4_by_an_open_window(users):
    users.revision("0002", CONTRACTS, after="0001", title="drop users.name")
    users.ok("migrate", "expand")

    refused = users.ec("migrate", "contract", "0002")
    assert refused.code == 3
    assert refused.stdout.strip() == ""
    assert refused.stderr == (
        "refused: contract 0002 (drop users.name)\n"
        "because: the ledger knows of no colour with traffic, so who needs the old shape is unknown\n"
        "next:    ec colour deploy COLOUR RELEASE, then ec colour traffic COLOUR=100"
        " (a development database: ec migrate all)\n"
    )
    users.ok("colour", "deploy", "blue", "1")
    users.ok("colour", "traffic", "blue=100")
    window = users.ec("migrate", "contract", "0002")
    assert window.code == 4
    assert window.stderr.startswith(
        "refused: contract 0002 (drop users.name)\nbecause: the ledger has watched the traffic only since 2"
    )
    assert window.stderr.rstrip().endswith("UTC: ec migrate contract 0002")


def test_6_the_server_cannot_be_reached(project):
    nowhere = {"EC_DATABASE_URL": "postgresql://me@127.0.0.1:1/none"}
    by_env_py, directly = project.ec("status", variables=nowhere), project.ec("colour", "show", variables=nowhere)

    assert by_env_py.code == directly.code == 6
    assert by_env_py.stderr.startswith("error:   no connection to the server at env.py's URL\nbecause: connection to")
    assert directly.stderr.startswith(
        "error:   no connection to the server at host=127.0.0.1 port=1 dbname=none user=me\nbecause: connection to"
    )
    assert "\nnext:    run the same command again\n" in directly.stderr


def test_6_another_runner_is_at_work_and_after_its_death_nobody_is(users):
    users.revision("0002", SLEEPS, after="0001", title="sleep")
    first = users.start("migrate", "expand")
    pid = until(lambda: sleeper(users))

    for arguments in (("migrate", "expand"), ("migrate", "contract"), ("migrate", "all"), ("undo", "0001")):
        second = users.ec(*arguments)
        assert second.code == 6, second
        assert "another runner is at work on this database" in second.stderr
    document = users.json("migrate", "expand", code=6)
    assert document["error"]["kind"] == "RunnerBusy"
    holder = users.runners()[0]
    assert f"backend {holder} (ec:" in document["error"]["because"]
    assert "connected since 2" in document["error"]["because"]
    assert users.ec("status").code == 0  # who only reads isn't in anybody's way

    first.kill()
    users.execute(f"SELECT pg_terminate_backend({pid})")
    until(lambda: not users.runners())
    users.revision("0002", ADD_NOTES, after="0001", title="add notes")
    assert users.json("migrate", "expand")["steps"] == ["expand 0002"]


def sleeper(project):
    found = project.rows("SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'")
    return found[0][0] if found else None


def test_7_a_step_fails_and_its_state_is_recorded(users):
    file = users.revision("0002", FAILS, after="0001", title="divide")

    failed = users.ec("migrate", "expand")

    assert failed.code == 7
    assert failed.stdout == ""
    line = file.read_text().splitlines().index('    op.execute("SELECT 1 / 0")') + 1
    assert failed.stderr.splitlines()[1:] == [
        "error:   expand 0002 (divide) failed in part upgrade",
        f"because: {file}:{line}: division by zero",
        "next:    mend the cause, then run the same command again (ec log 0002)",
    ]
    document = users.json("migrate", "expand", code=7)
    assert document["error"]["kind"] == "StepFailed"
    (step,) = [step for step in users.json("status")["steps"] if step["step"] == "expand 0002"]
    assert step["error"] == "division by zero"
    (event,) = users.json("log", "0002", "--most", "1")["events"]
    assert (event["kind"], event["facts"]["error"]) == ("expand failed", "division by zero")
    assert users.value("SELECT version_num FROM alembic_version") == "0001"
    users.revision("0002", ADD_NOTES, after="0001", title="add notes")
    users.ok("migrate", "expand")
    assert users.steps()["expand 0002"] == "done"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_130_interrupted_in_the_middle_of_an_expand(users, number):
    users.revision("0002", SLEEPS, after="0001", title="sleep")
    running = users.start("migrate", "expand", "--json")
    until(lambda: sleeper(users))

    running.signal(number)
    ran = running.end()

    assert ran.code == 130
    assert ran.json["outcome"] == "failed"
    assert ran.json["error"]["kind"] == "Interrupted"
    until(lambda: not sleeper(users), what="the server still sleeps")
    assert users.steps() == {"expand 0001": "done"}


def test_a_reader_that_goes_away_is_no_error(users):
    running = users.start("log")
    running.process.stdout.close()  # as in ec log | head -0
    stderr = running.process.stderr.read()
    assert running.process.wait(LONGEST) == 0
    running.process.stderr.close()
    assert stderr == ""


EVERY_COMMAND = [
    ("init",),
    ("migrate", "expand"),
    ("migrate", "contract"),
    ("migrate", "all"),
    ("backfill",),
    ("undo", "0001"),
    ("colour", "deploy", "blue", "1"),
    ("colour", "traffic", "blue=100"),
    ("colour", "check", "blue"),
    ("colour", "show"),
    ("colour", "retire", "blue"),
    ("plan",),
    ("status",),
    ("log",),
]


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=" ".join)
def test_json_is_one_object_on_stdout_when_the_command_fails(project, command):
    nowhere = {"EC_DATABASE_URL": with_parameters(project.dsn, host="127.0.0.1", port="1")}

    document = project.ec(*command, "--json", variables=nowhere).json

    words = [word for word in command if word not in ("0001", "blue", "1", "blue=100")]
    assert document["command"] == " ".join(words)
    assert document["outcome"] == "failed"
    assert document["error"]["kind"] == "ServerUnreachable"


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (("migrate", "expand", "--no-such-option"), "migrate expand"),
        (("undo",), "undo"),
        (("colour", "traffic", "blue"), "colour traffic"),
        (("colour", "traffic", "blue=101"), "colour traffic"),
        (("colour", "nonsense"), "colour"),
        (("log", "--most", "0"), "log"),
    ],
)
def test_json_is_one_object_on_stdout_when_the_command_line_cannot_be_used(project, arguments, command):
    ran = project.ec(*arguments, "--json")

    assert ran.code == 2
    assert ran.json["command"] == command
    assert ran.json["error"]["kind"] == "UsageError"
    assert ran.json["error"]["message"] in ran.stderr.replace("\n", " ")
