"""Words that would be code if anybody pasted them: into a file, a configuration, a reason, a role, an address."""

import json
import secrets

import psycopg
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from psycopg import sql

from tests.fixtures.project import CREATE_USERS
from tests.fixtures.servers import with_parameters
from tests.integration.input.test_hostile_names import FRAGMENTS, WITHIN_A_TEST

CANARY = "canary"
TO_PYTHON = ['"""', "'''", "\\", "{", "}", "#", "\n", f'"); open("{CANARY}", "w"); ("', f"\nopen('{CANARY}', 'w')\n"]
TO_PYTHON += [f'"""\nopen("{CANARY}", "w")\n"""', f"${{open('{CANARY}', 'w')}}", f"\n% raise {CANARY}\n", "<%", "%>"]
WORDS = st.lists(st.sampled_from(FRAGMENTS + TO_PYTHON), min_size=1, max_size=6).map("".join)
NAMES = WORDS.map(lambda words: words.encode()[:40].decode(errors="ignore")).filter(str.strip)
WORST = 'a"""\nopen("canary", "w")\n"""'


def hardly(examples, **options):
    return settings(max_examples=examples, suppress_health_check=WITHIN_A_TEST, **options)


def assert_nothing_ran(project, ran):
    assert not list(project.folder.rglob(CANARY)), ran
    assert not set(ran.stdout + ran.stderr) & set("\x1b\x01\u202e\r"), ran


def authored(project, arguments, table):
    """The file that is written says what was meant: its expand runs, and makes nothing else."""
    for file in project.versions.glob("*.py"):
        file.unlink()
    ran = project.ec(*arguments)
    assert_nothing_ran(project, ran)
    assert ran.code in (0, 2), (arguments, ran)
    if ran.code == 0:
        expanded = project.ec("migrate", "expand")
        assert_nothing_ran(project, expanded)
        assert expanded.code == 0, (arguments, expanded, [file.read_text() for file in project.versions.glob("*.py")])
        assert_nothing_ran(project, project.ok("undo", "0001"))
    assert project.rows("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
                        " AND relname <> 'alembic_version'") == [(table,)]  # fmt: skip


def write_files(project, table, column, new):
    identifiers = [sql.Identifier(name) for name in (table, column)]
    project.execute(
        "DROP SCHEMA IF EXISTS ec, public CASCADE; CREATE SCHEMA public",
        sql.SQL("CREATE TABLE {} (id bigint PRIMARY KEY, {} text)").format(*identifiers).as_string(),
    )
    for recipe in (
        ("rename-column", table, column, new),
        ("change-type", table, column, "varchar(50)"),
        ("add-index", table, column),
        ("make-not-null", table, column, "--fill", "'x'"),
        ("drop-column", table, column),
        ("rename-table", table, new),
    ):
        authored(project, ("new", recipe[0], "--rev-id", "0001", *options_last(recipe[1:])), table)


def options_last(arguments):
    """Arguments after -- are no options, whatever they begin with."""
    options = arguments[arguments.index("--fill") :] if "--fill" in arguments else ()
    return (*options, "--", *arguments[: len(arguments) - len(options)])


@hardly(1, phases=[Phase.explicit])
@example("t", WORST, "100 %")
@example('"', "\n% raise canary\n", ":x")
@given(NAMES, NAMES, NAMES)
def test_names_are_no_code_in_the_files_that_recipes_write(project, table, column, new):
    if len({name.lower() for name in (table, column, new, "id")}) == 4:
        write_files(project, table, column, new)


@pytest.mark.long
@hardly(15)
@given(NAMES, NAMES, NAMES)
def test_no_names_are_code_in_the_files_that_recipes_write(project, table, column, new):
    if len({name.lower() for name in (table, column, new, "id")}) == 4:
        write_files(project, table, column, new)


def say(project, words):
    """Where a person writes a sentence, it is a sentence."""
    for file in project.versions.glob("*.py"):
        file.unlink()
    for number, arguments in enumerate(
        (
            ("-m", words, "--rev-id", "0001"),
            ("-m", "more", "--rev-id", words),
            ("-m", "more", "--branch-label", words),
            ("-m", "more", "--depends-on", words),
            ("-m", "more", "--contract-after", words),
            ("-m", "more", "--version-path", words),
        )
    ):
        ran = project.ec("revision", *arguments)
        assert_nothing_ran(project, ran)
        assert ran.code in (0, 2), (arguments, ran)
        assert number or ran.code == 0, ran
        for command in (("plan",), ("lint", "--json")):
            looked = project.ec(*command)
            assert_nothing_ran(project, looked)
            assert looked.code in (0, 1), (arguments, looked)


@hardly(1, phases=[Phase.explicit])
@example(WORST)
@given(WORDS.filter(str.strip))
def test_a_title_is_no_code(project, words):
    say(project, words)


@pytest.mark.long
@hardly(40)
@given(WORDS.filter(str.strip))
def test_no_title_is_code(project, words):
    say(project, words)


def configure(project, words):
    """Tables of the configuration are called anything; what is called so is asked, and named in the answers."""
    name = json.dumps(words, ensure_ascii=False).replace("\x7f", "\\u007f")
    text = f"""
    [tool.expandcontract]
    maintenance_roles = [{name}]
    [tool.expandcontract.colours.{name}]
    source = "static"
    live = {name}
    [tool.expandcontract.alerts.{name}]
    source = "command"
    argv = ["false", {name}]
    [tool.expandcontract.replicas.{name}]
    address_env = {name}
    [tool.expandcontract.roles]
    {name} = {name}
    [tool.expandcontract.health.queries.{name}]
    sql = {name}
    limits = "stop 1"
    """
    (project.folder / "pyproject.toml").write_text("\n".join(map(str.strip, text.splitlines())), "utf-8")
    for command in (("status", "--json"), ("doctor",), ("observe",), ("plan",), ("migrate", "contract", "--json")):
        ran = project.ec(*command, variables={"EC_MAINTENANCE_ROLES": words, "EC_EVIDENCE": words})
        assert_nothing_ran(project, ran)
        assert ran.code in (0, 1, 2, 3), (command, ran)
        ran = project.ec(*command)
        assert_nothing_ran(project, ran)
        assert ran.code in (0, 1, 2, 3), (command, ran)


@hardly(1)
@given(WORDS.filter(str.strip))
def test_whoever_is_asked_may_be_called_anything(switched, words):
    configure(switched, words)


@pytest.mark.long
@hardly(25)
@given(WORDS.filter(str.strip))
def test_all_who_are_asked_may_be_called_anything(switched, words):
    configure(switched, words)


def reasons(project, words):
    """What a person says is kept as it was said."""
    person = {"EC_PERSON": words, "EC_TREE": words}
    project.ok("window", "0002", "--extend", "1d", "--reason", words, variables=person)
    event = project.json("log", "--most", "1")["events"][0]
    assert (event["facts"]["reason"], event["person"], event["tree"]) == (words, words, words)
    assert_nothing_ran(project, project.ok("log"))
    assert_nothing_ran(project, project.ok("window", "0002"))


@hardly(2)
@given(WORDS.filter(str.strip))
def test_a_reason_is_a_reason(switched, words):
    reasons(switched, words)


def as_role(project, database, role):
    """A role and a database of any names do the work; they are in the address, the log and the remedies."""
    name, password = f"{role} {secrets.token_hex(3)}"[-40:], secrets.token_urlsafe(12)
    identifier = sql.Identifier(name)
    other = sql.Identifier(name + "!")
    with psycopg.connect(database.superuser_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(identifier, sql.Literal(password)))
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(other, identifier))
    try:
        dsn = with_parameters(database.dsn, user=name, password=password, dbname=name + "!")
        project.dsn = dsn.replace("postgresql://", "postgresql+psycopg://", 1)
        assert_nothing_ran(project, project.ok("migrate", "expand"))
        (event,) = project.json("log", "--most", "1")["events"]
        assert event["role"] == name
        ran = project.ec("doctor")
        assert_nothing_ran(project, ran)
        assert password not in ran.stdout + ran.stderr
    finally:
        with psycopg.connect(database.superuser_dsn, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(other))
            admin.execute(sql.SQL("DROP ROLE {}").format(identifier))


@hardly(2)
@given(NAMES)
def test_a_role_and_a_database_may_be_called_anything(project, database, role):
    project.revision("0001", CREATE_USERS)
    as_role(project, database, role)
