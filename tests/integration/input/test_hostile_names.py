"""Names that would be something else if anybody pasted them into SQL, a shell or a document."""

import json
import secrets

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from expandcontract.cli.redaction import visible
from tests.fixtures.project import CREATE_USERS
from tests.fixtures.servers import with_parameters

NAMES = [
    "with \"quotes\" and 'apostrophes'",
    "Übergrößenträger 日本語",
    "select",
    "MixedCase",
    "100 %s %(name)s %%",
    ":name ::text $1 $ec_sync$ {0} \\",
    'x"; DROP TABLE users; --',
    "n" * 63,
    "ü" * 31,
]


# What has a meaning to SQL, psycopg, SQLAlchemy, str.format, TOML, a shell or a terminal.
FRAGMENTS = [
    '"',
    "'",
    "; DROP TABLE users; --",
    "%s",
    "%(x)s",
    "%",
    "{}",
    "{0}",
    "$$",
    "\\",
    "\n",
    "\t",
    " ",
    ":x",
    "::",
]
FRAGMENTS += [
    "ü",
    "日本",
    "A",
    "b",
    "\x1b[31m",
    "\u202e",
    "\x01",
    ",",
    ".",
    "=",
    "-",
    "--",
    "#",
    "`",
    "$(id)",
    "/",
    "*/",
    "\r",
]
HOSTILE = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=8).map("".join).filter(lambda name: name.strip())
THREE = st.lists(HOSTILE, min_size=3, max_size=3, unique_by=lambda name: name.strip().lower())
WITHIN_A_TEST = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def life(project, table, old, new):
    project.revision(
        "0001",
        f"def upgrade():\n    op.create_table({table!r}, sa.Column('id', sa.Integer, primary_key=True),"
        f" sa.Column({old!r}, sa.Text))\ndef downgrade():\n    op.drop_table({table!r})\n",
        title=f"create {table}",
    )
    quoted_old, quoted_new = ('"' + name.replace('"', '""') + '"' for name in (old, new))
    body = f"""
from expandcontract import Backfill, Sync

contract_after = "1ms"
table, old, new = {table!r}, {old!r}, {new!r}
sync = Sync(table, forward={{new: {quoted_old!r}}}, backward={{old: {quoted_new!r}}})

def upgrade():
    op.add_column(table, sa.Column(new, sa.Text))
    op.create_sync(sync)

def downgrade():
    op.drop_sync(sync)
    op.drop_column(table, new)

backfill = Backfill(sync)

def contract():
    op.drop_sync(sync)
    op.drop_column(table, old)
"""
    project.revision("0002", body, after="0001", title=f"rename {old} to {new}")
    quoted_table = '"' + table.replace('"', '""') + '"'
    project.ok("migrate", "expand", "0001")
    project.execute(
        f"INSERT INTO {quoted_table} (id, {quoted_old}) SELECT i, 'row ' || i FROM generate_series(1, 50) i"
    )
    project.ok("migrate", "expand")
    project.execute(f"INSERT INTO {quoted_table} (id, {quoted_new}) VALUES (51, 'new code')")
    assert project.value(f"SELECT {quoted_old} FROM {quoted_table} WHERE id = 51") == "new code"
    (filled,) = project.json("backfill")["filled"]
    assert (filled["rows"], filled["rows_written"]) == (51, 50)
    colour, release = (visible(name).replace("\n", "").replace("\t", "") or "x" for name in (old, new))
    project.ok("colour", "deploy", "--", colour, release)
    shown = project.ok("colour", "traffic", "--json", "--", f"{colour}=100").json["colours"]
    assert [(view["name"], view["release"], view["weight"]) for view in shown] == [(colour, release, 100)]
    assert project.ok("status").stdout.startswith(colour)
    assert project.json("migrate", "contract")["steps"] == ["contract 0002"]
    assert sorted(project.columns(quoted_table)) == sorted(["id", new])
    assert project.value(f"SELECT count(*) FROM {quoted_table} WHERE {quoted_new} IS NULL") == 0
    assert project.ok("log").stdout.count("contract done") == 1


@pytest.mark.parametrize("number", range(0, len(NAMES), 3))
def test_a_change_of_hostile_names_lives_its_whole_life(project, number):
    life(project, *NAMES[number : number + 3])


def test_a_name_that_the_server_would_cut_short_changes_nothing(project):
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    long = "ü" * 32  # 64 bytes
    body = f"""
    from expandcontract import Backfill, Sync

    sync = Sync("users", forward={{{long!r}: "name"}}, backward={{"name": '"{long}"'}})

    def upgrade():
        op.add_column("users", sa.Column({long!r}, sa.Text))
        op.create_sync(sync)

    def downgrade(): pass
    """
    project.revision("0002", body, after="0001")
    before = project.snapshot()

    ran = project.ec("migrate", "expand")

    assert ran.code in (2, 7), ran
    after = project.snapshot()
    assert {kind: after[kind] for kind in ("columns", "triggers", "functions")} == {
        kind: before[kind] for kind in ("columns", "triggers", "functions")
    }


def test_a_colour_and_a_release_may_be_called_anything_that_can_be_typed(project):
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    for name in ("a=b", "-h", "--json", "null", NAMES[4]):
        project.ok("colour", "deploy", "--", name, f"release {name}")
        moved = project.ok("colour", "traffic", "--json", "--", f"{name}=100")
        (live,) = [view for view in moved.json["colours"] if view["is_live"]]
        assert (live["name"], live["release"]) == (name, f"release {name}")
        assert project.ok("colour", "check", "--", name).stdout.startswith(name)


def in_a_project_of_its_own(make_project, database, names):
    """The life of a change of these names, in a schema of a hostile name as well; nothing else is there afterwards."""
    schema = f"{names[0]} {secrets.token_hex(3)}"[-40:]
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS ec CASCADE; DROP TABLE IF EXISTS alembic_version")
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    quoted = '"' + schema.replace('"', '""') + '"'
    path = quoted.replace("\\", "\\\\").replace(" ", "\\ ")
    for space in "\n\t\r":
        path = path.replace(space, "\\" + space)
    project = make_project(database, folder=f"project-{secrets.token_hex(3)}")
    project.dsn = with_parameters(database.dsn, options=f"-c search_path={path}")
    life(project, *names)
    assert (
        project.value(
            "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('ec', 'pg_catalog', 'information_schema')"
        )
        >= 2
    )


@settings(max_examples=1, suppress_health_check=WITHIN_A_TEST)
@given(names=THREE)
def test_a_change_of_any_names_lives_its_whole_life(make_project, database, names):
    in_a_project_of_its_own(make_project, database, names)


@pytest.mark.long
@settings(max_examples=40, suppress_health_check=WITHIN_A_TEST)
@given(names=THREE)
def test_changes_of_many_names_live_their_whole_lives(make_project, database, names):
    in_a_project_of_its_own(make_project, database, names)


def anything_goes(project, words):
    """Where a name, a value or an address belongs, any words are taken for one, or refused as one."""
    for arguments, variables in (
        (("migrate", "expand", "--", words), {}),
        (("colour", "check", "--", words), {}),
        (("-n", words, "status"), {}),
        (("-x", words, "status"), {}),
        (("-c", words, "status"), {}),
        (("status",), {"EC_LOCK_TIMEOUT": words}),
        (("status",), {"EC_RATE": words}),
        (("status",), {"EC_DATABASE_URL": words}),
        (("colour", "show"), {"EC_DATABASE_URL": f"postgresql://{words}"}),
        (("log",), {"EC_PERSON": words, "EC_TREE": words}),
    ):
        ran = project.ec(*arguments, variables=variables)
        assert ran.code in (0, 1, 2, 3, 6), (arguments, variables, ran)
        assert not set(ran.stdout + ran.stderr) & set("\x1b\x01\u202e\r"), (arguments, variables, ran)
    table = json.dumps(words, ensure_ascii=False).replace("\x7f", "\\u007f")  # a TOML string as well
    for key in ("contract_after", "rate", "witnesses", "observed_share"):
        project.write("pyproject.toml", "")
        (project.folder / "pyproject.toml").write_text(
            f"[tool.expandcontract]\n{key} = {table}\n{table} = 1\n", "utf-8"
        )
        assert project.ec("status").code == 2
    (project.folder / "pyproject.toml").unlink()


@settings(max_examples=1, suppress_health_check=WITHIN_A_TEST)
@given(words=HOSTILE)
def test_any_words_are_words_to_every_command(project, words):
    project.revision("0001", CREATE_USERS)
    anything_goes(project, words)


@pytest.mark.long
@settings(max_examples=40, suppress_health_check=WITHIN_A_TEST)
@given(words=HOSTILE)
def test_many_words_are_words_to_every_command(project, words):
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    before = project.snapshot()
    anything_goes(project, words)
    assert project.snapshot() == before


@pytest.mark.parametrize("name", ['it\'s "0001"; --.py', "0001 %s {} 日本.py", "0001\t' $(id).py"])
def test_a_revision_file_may_be_called_anything(project, name):
    project.revision("0001", CREATE_USERS).rename(project.versions / name)
    project.ok("migrate", "expand")
    assert project.steps() == {"expand 0001": "done"}


@pytest.mark.parametrize("role", ['we"ird; DROP ROLE app; --', "100 %s {0} :x", "Ünï'cödé $$"])
def test_a_role_may_be_called_anything(project, database, role):
    name, password = f"{role} {secrets.token_hex(3)}", secrets.token_urlsafe(12)
    with psycopg.connect(database.superuser_dsn, autocommit=True) as admin:
        identifier = sql.Identifier(name)
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(identifier, sql.Literal(password)))
        admin.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(database.role), identifier))
        admin.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(sql.Identifier(database.name), identifier))
    try:
        project.dsn = with_parameters(database.dsn, user=name, password=password)
        project.revision("0001", CREATE_USERS)
        project.ok("migrate", "expand")
        (event,) = project.json("log", "--most", "1")["events"]
        assert event["role"] == name
        quoted = '"' + name.replace('"', '""') + '"'
        risks = {risk["name"]: risk["remedy"] for risk in project.json("doctor")["risks"]}
        assert risks["sees-too-little"] == f"GRANT pg_monitor TO {quoted}"
        with psycopg.connect(database.superuser_dsn, autocommit=True) as admin:
            admin.execute(risks["sees-too-little"].encode())
        assert "sees-too-little" not in {risk["name"] for risk in project.json("doctor")["risks"]}
    finally:
        with psycopg.connect(database.superuser_dsn, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP OWNED BY {0}").format(identifier))
            admin.execute(sql.SQL("DROP ROLE {0}").format(identifier))


def test_a_nul_is_refused_wherever_a_file_can_have_one(project):
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    before = project.snapshot()
    (project.folder / "pyproject.toml").write_text('[tool.expandcontract]\ncontract_after = "1\\u0000d"\n', "utf-8")
    assert project.ec("status").code == 2
    (project.folder / "pyproject.toml").unlink()
    project.revision("0002", "def upgrade():\n    op.add_column('users', sa.Column('a\\0b', sa.Text))\n", after="0001")
    ran = project.ec("migrate", "expand")
    assert ran.code in (2, 7), ran
    after = project.snapshot()
    assert after["columns"] == before["columns"]
