"""Revision files, configuration and arguments that can't be used: 2 with the place, and nothing has changed."""

import pytest

from tests.fixtures.project import CREATE_USERS, rename_name

SYNC = """
from expandcontract import Backfill, Sync

sync = Sync("users", forward={forward}, backward={backward})

def upgrade():
    op.add_column("users", sa.Column("display_name", sa.Text))
    op.add_column("users", sa.Column("number", sa.Integer))
    op.create_sync(sync)

def downgrade():
    op.drop_sync(sync)
    op.drop_column("users", "display_name")
    op.drop_column("users", "number")

backfill = Backfill(sync)
"""
EMPTY = "def upgrade(): pass\ndef downgrade(): pass\n"


@pytest.fixture
def users(project):
    project.revision("0001", CREATE_USERS, title="create users")
    project.ok("migrate", "expand")
    project.execute("INSERT INTO users (name) VALUES ('Ada'), ('Grace')")
    return project


def refused_at(project, file, line, *words):
    """Both a command that reads and one that acts say 2, the file and the line, and change nothing."""
    before = project.snapshot()
    place = f"{file}:{line}: " if line else f"{file}"
    for command in (("status",), ("migrate", "expand")):
        ran = project.ec(*command)
        assert ran.code == 2, ran
        assert place in ran.stderr, ran
        for word in words:
            assert word in ran.stderr, ran
    assert project.snapshot() == before


def line_of(file, text):
    return next(number for number, line in enumerate(file.read_text().splitlines(), 1) if text in line)


@pytest.mark.parametrize(
    ("body", "where", "words"),
    [
        ("def upgrade(:\n    pass\n", "def upgrade(:", ["invalid syntax"]),
        ("import no_such_module\n" + EMPTY, "import no_such_module", ["ModuleNotFoundError", "no_such_module"]),
        ("from alembic import no_such_name\n" + EMPTY, "import no_such_name", ["ImportError"]),
        (EMPTY + "value = 1 / 0\n", "1 / 0", ["ZeroDivisionError: division by zero"]),
        (
            EMPTY + "from expandcontract import Sync\nsync = Sync('users', forward={})\n",
            "forward={}",
            ["Sync needs forward={new column: expression}"],
        ),
        (
            EMPTY + "from expandcontract import Backfill\nbackfill = Backfill('users')\n",
            "Backfill('users')",
            ["needs one of set={column: expression}"],
        ),
        (EMPTY + "backfill = 'users'\n", "backfill = ", ["backfill must be a Backfill(…), not str"]),
        (EMPTY + "contract_after = '14'\n", "contract_after", ["'14' is not a duration"]),
        (EMPTY + "contract_after = '-1d'\n", "contract_after", ["'-1d' is not a duration"]),
        (EMPTY + "contract_after = '99999999d'\n", "contract_after", ["longer than ten years"]),
        (EMPTY + "contract = 'drop it'\n", "contract = ", ["contract must be a function, or a tuple of functions"]),
        (EMPTY + "contract = ()\n", "contract = ", ["contract must be a function, or a tuple of functions"]),
        ("def downgrade(): pass\n", None, ["upgrade() is missing"]),
    ],
    ids=[
        "syntax",
        "module",
        "name",
        "error",
        "sync",
        "backfill",
        "no backfill",
        "no unit",
        "negative",
        "too long",
        "no function",
        "no parts",
        "no upgrade",
    ],
)
def test_a_revision_file_that_cannot_be_used_is_2_with_file_and_line(users, body, where, words):
    file = users.revision("0002", body, after="0001")

    refused_at(users, file, line_of(file, where) if where else None, *words)


def test_two_files_with_one_id_a_gap_and_a_cycle_are_2(users):
    before = users.snapshot()
    users.revision("0002", EMPTY, after="0001")
    (users.versions / "twin.py").write_text((users.versions / "0002.py").read_text())
    twins = users.ec("migrate", "expand")
    assert twins.code == 2
    assert "0002" in twins.stderr
    (users.versions / "twin.py").unlink()
    users.revision("0004", EMPTY, after="none")
    gap = users.ec("migrate", "expand")
    assert gap.code == 2
    assert "none" in gap.stderr
    (users.versions / "0004.py").unlink()
    users.revision("0005", EMPTY, after="0006")
    users.revision("0006", EMPTY, after="0005")
    cycle = users.ec("migrate", "expand")
    assert cycle.code == 2
    assert "0005" in cycle.stderr
    assert users.snapshot() == before


@pytest.mark.parametrize(
    ("forward", "backward", "words"),
    [
        ({"display_name": "name ||"}, {"name": "display_name"}, "syntax error"),
        ({"display_name": "nome"}, {"name": "display_name"}, 'column "nome" does not exist'),
        ({"display_name": "length(name)"}, {"name": "no_function(display_name)"}, "no_function(text) does not exist"),
        ({"display_name": "name"}, {"name": "now() - display_name"}, "operator does not exist"),
        ({"number": "name"}, {"name": "number::text"}, "is of type integer but expression is of type text"),
        ({"shown": "name"}, {"name": "shown"}, "users.shown"),
    ],
    ids=["syntax", "column", "function", "operator", "type", "no such column"],
)
def test_a_wrong_expression_of_a_sync_is_refused_before_any_ddl(users, forward, backward, words):
    file = users.revision("0002", SYNC.format(forward=forward, backward=backward), after="0001")
    before = users.snapshot()

    ran = users.ec("migrate", "expand")

    assert ran.code == 2, ran
    assert str(file) in ran.stderr
    assert words in ran.stderr
    assert users.snapshot() == before


def test_a_backfill_that_cannot_work_is_2_and_writes_nothing(users):
    users.execute("CREATE VIEW looks AS SELECT 1 AS a, 2 AS b")
    body = EMPTY + "from expandcontract import Backfill\n"
    body += "backfill = Backfill({table!r}, set={set}, writers='0002', required=False)\n"
    users.ok("colour", "deploy", "green", "0")
    for table, assignments, words in (
        ("looks", {"b": "a"}, "looks can't be walked along"),
        ("nowhere", {"b": "a"}, "nowhere doesn't exist in this database"),
        ("users", {"name": "upper(name"}, "syntax error"),
        ("users", {"none": "1"}, 'column "none" does not exist'),
        ("users", {"name": "nome"}, 'column "nome" does not exist'),
        ("users", {"name": "name || 'x'"}, "rows still need it"),
    ):
        users.revision("0002", body.format(table=table, set=assignments), after="0001")
        users.ok("migrate", "expand")
        users.ec("colour", "deploy", "green", f"tag of {table} {len(words)}")
        users.ec("colour", "traffic", "green=100")
        ran = users.ec("backfill")
        assert ran.code == 2, ran
        assert words in ran.stderr
        assert users.ec("migrate", "contract").code == 0
        assert users.rows("SELECT name FROM users ORDER BY id") == [("Ada",), ("Grace",)]


def test_a_revision_that_is_unknown_or_ambiguous_is_2(users):
    users.revision("0012", rename_name(), after="0001")
    for arguments, words in (
        (("undo", "9999"), "9999"),
        (("undo", "00"), "00"),
        (("migrate", "expand", "nonsense"), "nonsense"),
        (("migrate", "contract", "nonsense"), "nonsense"),
        (("migrate", "contract", "0001"), "0001 (create users) has no contract()"),
        (("backfill", "0001"), "0001 (create users) has no backfill"),
        (("backfill", "00"), "00"),
        (("undo", ""), "revision"),
        (("undo", "base"), "base"),
        (("undo", "0001:0012"), "0001:0012"),
        (("undo", "-1"), "-1"),
    ):
        ran = users.ec(*arguments)
        assert ran.code == 2, (arguments, ran)
        assert words in ran.stderr, (arguments, ran)
    assert users.steps() == {"expand 0001": "done"}
    assert users.ok("migrate", "expand", "head", "--dry-run").stdout == "would run: expand 0012\n"
    assert users.ok("migrate", "expand", "0012", "--dry-run").stdout == "would run: expand 0012\n"
    assert users.ok("migrate", "expand", "001", "--dry-run").stdout == "would run: expand 0012\n"


def test_a_colour_that_is_unknown_and_weights_that_cannot_be_are_2(users):
    users.ok("colour", "deploy", "blue", "1")
    users.ok("colour", "traffic", "blue=100")
    before = users.snapshot()
    for arguments in (
        ("colour", "check", "green"),
        ("colour", "retire", "green"),
        ("colour", "retire", "blue"),
        ("colour", "traffic", "green=100"),
        ("colour", "traffic", "blue"),
        ("colour", "traffic", "blue="),
        ("colour", "traffic", "=100"),
        ("colour", "traffic", "blue=101"),
        ("colour", "traffic", "blue=-1"),
        ("colour", "traffic", "blue=50"),
        ("colour", "traffic", "blue=1e2"),
        ("colour", "traffic", "blue=50", "blue=50"),
        ("colour", "traffic", "blue=٣٠"),
        ("colour", "traffic"),
        ("colour", "deploy", "", "1"),
        ("colour", "deploy", "blue\n", "1"),
        ("colour", "deploy", "b" * 101, "1"),
        ("colour", "deploy", "blue", ""),
    ):
        ran = users.ec(*arguments)
        assert ran.code == 2, (arguments, ran)
        assert ran.stdout == ""
    assert users.snapshot() == before
    unknown = users.ec("colour", "check", "green")
    assert unknown.stderr == (
        "error:   there is no colour 'green'\nbecause: the ledger knows blue\n"
        "next:    ec colour deploy green RELEASE (from the tree that it runs)\n"
    )


def test_a_tag_names_one_build_for_ever(users):
    users.ok("colour", "deploy", "blue", "1")
    users.ok("colour", "traffic", "blue=100")
    users.revision("0002", EMPTY, after="0001")
    users.ok("migrate", "expand")

    ran = users.ec("colour", "deploy", "green", "1")

    assert ran.code == 2
    assert "release 1 is already known with other revisions" in ran.stderr


def test_a_malformed_setting_is_2_with_the_place_where_it_stands(users):
    before = users.snapshot()
    flag = users.ec("migrate", "expand", "--lock-timeout", "soon")
    assert flag.code == 2
    assert "--lock-timeout: 'soon' is not a duration; write for example 30s" in flag.stderr
    for variable, value in (
        ("EC_LOCK_TIMEOUT", "7"),
        ("EC_LOCK_BUDGET", "-1d"),
        ("EC_CONTRACT_AFTER", "1e9d"),
        ("EC_RATE", "fast"),
        ("EC_LOCK_TIMEOUT", "0s"),
        ("EC_DATABASE_URL", "nonsense"),
    ):
        ran = users.ec("migrate", "expand", variables={variable: value})
        assert ran.code == 2, (variable, ran)
    rate = users.ec("backfill", "--rate", "0")
    assert rate.code == 2
    assert "--rate: '0' is not a rate; write rows per second, for example 10000, or max" in rate.stderr
    file = users.write("pyproject.toml", "[tool.expandcontract]\nlock_timeout = 5\nlock_budgit = '1m'\nrate = true\n")
    several = users.ec("status")
    assert several.code == 2
    for words in (f"{file.name}: lock_timeout: '5' is not a duration", "lock_budgit is unknown", "rate: True is not"):
        assert words in several.stderr
    for broken in ("[tool.expandcontract\n", "tool = 1\n", "[tool]\nexpandcontract = 1\n", "\x00", "[tool.alembic]\nx"):
        file.write_text(broken)
        ran = users.ec("status")
        assert ran.code == 2, (broken, ran)
        assert "pyproject.toml" in ran.stderr
    file.write_bytes(b"\xff\xfe")
    assert users.ec("status").code == 2
    assert users.snapshot() == before


def test_a_flag_beats_a_variable_beats_the_file(users):
    users.revision("0002", EMPTY, after="0001")
    users.write("pyproject.toml", "[tool.expandcontract]\nlock_timeout = '1s'\n")

    def limit(*flags, **variables):
        ran = users.ok("migrate", "expand", "--sql", *flags, variables=variables)
        return next(line for line in ran.stdout.splitlines() if "lock_timeout" in line)

    assert limit() == "SET LOCAL lock_timeout = 1000;"
    assert limit(EC_LOCK_TIMEOUT="2s") == "SET LOCAL lock_timeout = 2000;"
    assert limit("--lock-timeout", "3s", EC_LOCK_TIMEOUT="2s") == "SET LOCAL lock_timeout = 3000;"


def test_an_env_py_that_fails_is_2_with_file_and_line(users):
    file = users.folder / "migrations" / "env.py"
    good = file.read_text()
    before = users.snapshot()
    for text, where, words in (
        ('import os\nos.environ["NO_SUCH_VARIABLE"]\n' + good, 'os.environ["NO_SUCH', "KeyError: 'NO_SUCH_VARIABLE'"),
        (good + "def broken(:\n", "def broken(:", "invalid syntax"),
        ("import no_such_application\n" + good, None, "no_such_application"),
        ("x = 1\n", None, "ran no migrations"),
    ):
        file.write_text(text)
        for command in (("status",), ("migrate", "expand"), ("migrate", "expand", "--sql")):
            ran = users.ec(*command)
            assert ran.code == 2, (text[:60], command, ran)
            assert words in ran.stderr
            if where:
                assert f"{file}:{line_of(file, where)}" in ran.stderr
    file.unlink()
    assert users.ec("status").code == 2
    assert users.snapshot() == before
