"""The user's env.py runs unchanged, whatever it looks like, and Alembic's options mean what they mean to Alembic."""

import re
import shutil

import pytest

from tests.fixtures.project import CREATE_USERS, INI, SYNC_ENV, rename_name

TOML = """\
[tool.alembic]
script_location = "%(here)s/migrations"
prepend_sys_path = ["."]
"""


def life(project, *options):
    """Expand, backfill, contract and undo, with these options of ec before each command."""
    project.revision("0001", CREATE_USERS, title="create users")
    project.ok(*options, "migrate", "expand")
    project.execute("INSERT INTO users (name) SELECT 'person ' || i FROM generate_series(1, 100) i")
    project.revision("0002", rename_name("1ms"), after="0001", title="rename")
    project.ok(*options, "migrate", "expand")
    project.ok(*options, "undo", "0002")
    assert project.columns("users") == ["id", "name"]
    project.ok(*options, "migrate", "expand")
    project.ok(*options, "backfill")
    project.ok(*options, "colour", "deploy", "green", "1")
    project.ok(*options, "colour", "traffic", "green=100")
    assert project.ok(*options, "migrate", "contract", "--json").json["steps"] == ["contract 0002"]
    assert project.columns("users") == ["display_name", "id"]
    assert project.value("SELECT count(*) FROM users WHERE display_name IS NULL") == 0


@pytest.mark.parametrize("kind", ["begin", pytest.param("psycopg-async", marks=pytest.mark.long), "asyncpg"])
def test_a_change_lives_its_whole_life_through_an_env_py_of_that_kind(kind, database, make_project):
    life(make_project(database, kind))


@pytest.mark.parametrize(
    "template", ["generic", *(pytest.param(one, marks=pytest.mark.long) for one in ("async", "pyproject"))]
)
def test_a_project_as_alembic_makes_it_needs_nothing_and_has_no_chatter(template, database, make_project):
    project = make_project(database)
    shutil.rmtree(project.folder)
    project.folder.mkdir()
    assert project.alembic("init", "-t", template, "migrations").code == 0
    url = f"sqlalchemy.url = {database.dsn.replace('postgresql://', 'postgresql+psycopg://').replace('%', '%%')}"
    ini = (project.folder / "alembic.ini").read_text()
    project.write("alembic.ini", re.sub("sqlalchemy.url = .*", lambda _: url, ini))

    life(project)

    project.revision("0003", "def upgrade():\n    op.execute('SELECT 1')\n", after="0002")
    for command in (["status"], ["plan"], ["doctor"], ["lint", "0003"], ["migrate", "expand", "--dry-run"]):
        assert "INFO" not in project.ec(*command).stderr


@pytest.mark.parametrize("kind", ["begin", "asyncpg"])
def test_a_blocked_step_is_tried_again_through_an_env_py_of_that_kind(kind, database, make_project):
    project = make_project(database, kind)
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    project.revision("0002", 'def upgrade():\n    op.drop_table("users")\ndef downgrade(): pass\n', after="0001")

    with project.transaction("SELECT FROM users") as reader:
        spent = project.ec("migrate", "expand", "--lock-timeout", "200ms", "--lock-budget", "1s")
        assert spent.code == 6
        assert f"blocked by pid {reader.info.backend_pid} " in spent.stderr

    project.ok("migrate", "expand")


def test_an_autocommit_block_within_a_transaction_of_env_py_is_refused_with_the_way_out(database, make_project):
    project = make_project(database, "begin")
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    body = """
    def upgrade():
        with op.get_context().autocommit_block():
            op.create_index("users_name", "users", ["name"], postgresql_concurrently=True)

    def downgrade():
        op.drop_index("users_name")
    """
    file = project.revision("0002", body, after="0001")

    ran = project.ec("migrate", "expand")

    assert ran.code == 2
    assert str(file) in ran.stderr
    assert "use engine.connect() in env.py" in ran.stderr
    assert project.steps() == {"expand 0001": "done"}

    project.write("migrations/env.py", SYNC_ENV)
    project.ok("migrate", "expand")


def test_a_part_that_env_py_takes_back_is_not_done(database, make_project):
    project = make_project(database)
    configures = "        context.configure(connection=connection, target_metadata=target_metadata)\n"
    sets = "        connection.execute(sa.text('SET statement_timeout = 60000'))\n"
    project.write("migrations/env.py", SYNC_ENV.replace(configures, sets + configures))
    project.revision("0001", CREATE_USERS)

    ran = project.ec("migrate", "expand")

    assert ran.code == 2
    assert "done" not in ran.stdout
    assert "expand 0001: part upgrade ran, and env.py took it back; nothing has changed" in ran.stderr
    assert "add connection.commit() after that statement in env.py" in ran.stderr
    assert project.steps() == {}

    project.write("migrations/env.py", SYNC_ENV.replace(configures, f"{sets}        connection.commit()\n{configures}"))
    project.ok("migrate", "expand")
    assert project.columns("users") == ["id", "name"]


def test_x_arguments_reach_env_py(database, make_project):
    project = make_project(database, "x")
    project.revision("0001", CREATE_USERS)
    for url in (None, project.dsn):
        project.variables["EC_DATABASE_URL"] = url
        assert project.ok("-x", f"url={project.dsn}", "status").code == 0
    life(project, "-x", f"url={project.dsn}")


def test_c_n_and_alembic_config_choose_the_configuration(project):
    project.revision("0001", CREATE_USERS)
    ini = project.folder / "alembic.ini"
    elsewhere = project.folder / "etc" / "other.ini"
    elsewhere.parent.mkdir()
    text = INI.format(url="postgresql://nobody@127.0.0.1:1/nowhere")
    elsewhere.write_text(text.replace("script_location = migrations", "script_location = %(here)s/../migrations"))
    named = text.replace("[alembic]", "[shop]")
    ini.write_text(named)

    assert project.ec("status").code == 2
    assert project.ok("-n", "shop", "plan").stdout.startswith("expand 0001")
    ini.unlink()
    missing = project.ec("status")
    assert missing.code == 2
    assert missing.stderr.startswith("error:   there is no alembic.ini\nbecause: ec looked in ")
    assert project.ok("-c", "etc/other.ini", "plan").stdout.startswith("expand 0001")
    assert project.ok("plan", variables={"ALEMBIC_CONFIG": "etc/other.ini"}).stdout.startswith("expand 0001")
    assert project.ec("-c", "etc/none.ini", "plan", variables={"ALEMBIC_CONFIG": "etc/other.ini"}).code == 2
    project.write("pyproject.toml", TOML)
    assert project.ok("plan").stdout.startswith("expand 0001")
    assert project.alembic("history").code == 0


def test_two_databases_that_should_be_one_are_noticed(renaming, make_project, server):
    from tests.fixtures.servers import fresh_database

    with fresh_database(server) as other:
        fixed = (renaming.folder / "migrations" / "env.py").read_text()
        renaming.write("migrations/env.py", fixed.replace('os.environ.get("EC_DATABASE_URL")', f'"{other.dsn}"'))
        before = renaming.snapshot()

        ran = renaming.ec("migrate", "expand")

        assert ran.code == 2
        assert "env.py connects to another database than ec" in ran.stderr
        assert renaming.columns("users") == []
        assert before["relations"] != renaming.snapshot()["relations"]  # the ledger is there
