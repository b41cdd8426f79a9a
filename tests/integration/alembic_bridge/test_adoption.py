"""An existing Alembic project adopts ec, and plain alembic goes on working beside it."""

import pytest

from tests.fixtures.project import ADD_NOTES, CREATE_USERS, rename_name

# As people write it: their own base class, models for autogenerate, and the URL in the ini file.
OWN_ENV = """\
import sqlalchemy as sa
from alembic import context
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(sa.Text)
    notes: Mapped[str | None] = mapped_column(sa.Text)


config = context.config
url = config.get_main_option("sqlalchemy.url")

if context.is_offline_mode():
    context.configure(url=url, target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    engine = sa.engine_from_config(config.get_section(config.config_ini_section), prefix="sqlalchemy.")
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, include_schemas=False)
        with context.begin_transaction():
            context.run_migrations()
"""


@pytest.fixture
def existing(project):
    """Two revisions, applied by plain alembic; 50 rows; the URL stands in alembic.ini alone."""
    project.variables["EC_DATABASE_URL"] = None
    project.write("migrations/env.py", OWN_ENV)
    ini = (project.folder / "alembic.ini").read_text()
    url = project.dsn.replace("postgresql://", "postgresql+psycopg://").replace("%", "%%")
    project.write("alembic.ini", ini.replace("postgresql://nobody@127.0.0.1:1/nowhere", url))
    project.revision("aaa1", CREATE_USERS, title="create users")
    project.revision("aaa2", ADD_NOTES, after="aaa1", title="add notes")
    assert project.alembic("upgrade", "head").code == 0
    project.execute("INSERT INTO users (name) SELECT 'person ' || i FROM generate_series(1, 50) i")
    return project


def rows(project):
    return project.rows("SELECT * FROM users ORDER BY id")


def test_an_existing_project_is_adopted_without_touching_a_file_or_a_row(existing):
    files, data = existing.files(), rows(existing)
    catalogue = existing.snapshot()
    planned = existing.json("init", "--dry-run")
    assert (planned["revisions"], planned["expanded"]) == (2, 2)
    assert existing.snapshot() == catalogue

    adopted = existing.json("init")

    assert adopted["outcome"] == "done"
    assert adopted["made"] == []
    assert (adopted["revisions"], adopted["expanded"]) == (2, 2)
    assert existing.files() == files
    assert rows(existing) == data
    assert existing.steps() == {"expand aaa1": "done", "expand aaa2": "done"}
    assert existing.rows("SELECT DISTINCT outside FROM ec.step") == [(True,)]
    assert existing.json("init")["outcome"] == "nothing"
    assert existing.json("plan")["outcome"] == "nothing"
    assert existing.json("migrate", "expand")["outcome"] == "nothing"
    after = existing.snapshot()
    changed = {name for name in after if after.get(name) != catalogue.get(name) and ".public" in name}
    assert changed == set()


def test_plain_alembic_goes_on_working_after_the_adoption(existing):
    existing.ok("init")

    history = existing.alembic("history")
    assert history.code == 0
    assert "aaa1 -> aaa2 (head), add notes" in history.stdout
    check = existing.alembic("check")
    assert check.code == 0, check  # autogenerate doesn't see schema ec
    assert existing.alembic("current").stdout.startswith("aaa2")
    assert existing.alembic("downgrade", "-1").code == 0
    assert "notes" not in existing.columns("users")
    assert existing.alembic("upgrade", "head").code == 0
    script = existing.alembic("upgrade", "aaa1:head", "--sql")
    assert script.code == 0
    assert "ALTER TABLE users ADD COLUMN notes TEXT;" in script.stdout
    generated = existing.alembic("revision", "--autogenerate", "-m", "nothing")
    assert generated.code == 0
    (made,) = existing.versions.glob("*_nothing.py")
    assert "drop" not in made.read_text()
    assert len(rows(existing)) == 50


def test_plain_alembic_runs_the_safe_phase_of_a_change_with_phases(existing):
    existing.ok("init")
    existing.revision("aaa3", rename_name(), after="aaa2", title="rename")

    assert existing.alembic("upgrade", "head").code == 0
    existing.execute("INSERT INTO users (name) VALUES ('through the triggers')")
    assert existing.value("SELECT display_name FROM users ORDER BY id DESC LIMIT 1") == "through the triggers"
    script = existing.alembic("upgrade", "aaa2:aaa3", "--sql")
    assert script.code == 0, script
    assert "CREATE TRIGGER" in script.stdout
    assert "DROP COLUMN" not in script.stdout

    # ec takes over from there
    assert existing.json("backfill")["filled"][0]["rows_written"] == 50
    assert existing.steps()["expand aaa3"] == "done"
    refused = existing.json("migrate", "contract", code=3)
    assert [no["code"] for no in refused["refusals"]] == ["no-live-colour"]
    assert existing.alembic("downgrade", "aaa2").code == 0
    assert existing.columns("users") == ["id", "name", "notes"]
    planned = {step["step"]: step["state"] for step in existing.json("plan")["steps"]}
    assert planned == {"expand aaa3": "pending", "backfill aaa3": "pending", "contract aaa3": "pending"}
    done = existing.ok("migrate", "expand")
    assert "aaa3 was downgraded outside ec" in done.stderr
    assert existing.json("backfill")["filled"][0]["rows_written"] == 51


def test_what_plain_alembic_did_meanwhile_is_taken_up(existing):
    existing.ok("init")
    existing.revision("aaa3", "def upgrade(): pass\ndef downgrade(): pass\n", after="aaa2", title="third")
    existing.revision("aaa4", "def upgrade(): pass\ndef downgrade(): pass\n", after="aaa3", title="fourth")

    # upgraded outside
    assert existing.alembic("upgrade", "aaa3").code == 0
    assert [step["step"] for step in existing.json("plan")["steps"]] == ["expand aaa4"]
    taken_up = existing.ec("migrate", "expand", "aaa3")
    assert taken_up.stdout == "nothing to do\n"
    assert "1 revision(s) applied by plain alembic recorded as expanded" in taken_up.stderr
    assert existing.rows("SELECT outside FROM ec.step WHERE revision = 'aaa3'") == [(True,)]

    # stamped: nothing ran, and the version table is what counts
    assert existing.alembic("stamp", "aaa4").code == 0
    assert existing.json("plan")["outcome"] == "nothing"
    existing.ok("migrate", "expand")
    assert existing.steps()["expand aaa4"] == "done"

    # downgraded outside, over several revisions
    assert existing.alembic("downgrade", "aaa1").code == 0
    assert [step["step"] for step in existing.json("plan")["steps"]] == ["expand aaa2", "expand aaa3", "expand aaa4"]
    done = existing.json("migrate", "expand")
    assert done["steps"] == ["expand aaa2", "expand aaa3", "expand aaa4"]
    assert existing.rows("SELECT version_num FROM alembic_version") == [("aaa4",)]
    kinds = [(event["kind"], event["revision"]) for event in existing.json("log", "--most", "100")["events"]]
    assert ("expand undone", "aaa2") in kinds


def test_a_stamp_back_to_base_and_forth_loses_nothing(existing):
    existing.ok("init")
    assert existing.alembic("stamp", "base").code == 0
    planned = existing.json("plan")["steps"]
    assert [(step["step"], step["state"]) for step in planned] == [
        ("expand aaa1", "pending"),
        ("expand aaa2", "pending"),
    ]
    failed = existing.ec("migrate", "expand")  # the tables are there: the server refuses, and that is recorded
    assert failed.code == 7
    assert 'relation "users" already exists' in failed.stderr
    assert len(rows(existing)) == 50

    assert existing.alembic("stamp", "head").code == 0
    existing.ok("migrate", "expand")
    assert existing.steps() == {"expand aaa1": "done", "expand aaa2": "done"}


def test_an_old_tree_never_damages_the_ledger(existing, make_project):
    existing.ok("init")
    new = existing
    old = make_project(existing.dsn, folder="old")
    old.variables["EC_DATABASE_URL"] = None
    for name in ("alembic.ini", "migrations/env.py"):
        old.write(name, (new.folder / name).read_text())
    for file in new.versions.glob("*.py"):
        old.write(f"migrations/versions/{file.name}", file.read_text())
    new.revision("aaa3", rename_name(), after="aaa2", title="rename")
    new.ok("migrate", "expand")
    new.ok("backfill")
    before = new.snapshot()

    assert old.alembic("upgrade", "head").code != 0  # Alembic's own way: it can't locate aaa3
    assert old.ec("status").code == 0
    assert old.ec("plan").code == 0
    assert old.ec("init").code == 0
    assert old.ec("migrate", "expand").code == 0  # nothing of its own waits
    assert old.ec("migrate", "contract").code == 0
    assert old.ec("backfill").code == 0
    assert old.ec("undo", "aaa2").code == 3
    assert old.ec("migrate", "all").code in (0, 2, 3)
    assert old.ec("undo", "aaa3").code == 2  # unknown to it

    assert new.snapshot() == before


def test_a_new_project_is_made_and_works(tmp_path, database, make_project):
    folder = tmp_path / "fresh"
    folder.mkdir()
    project = make_project(database)
    project.folder = folder

    assert sorted(project.json("init", "--dry-run")["made"]) == sorted(
        ["alembic.ini", "migrations/env.py", "migrations/script.py.mako", "migrations/versions"]
    )
    assert project.files() == {}
    made = project.ec("init")
    assert made.code == 0
    assert "made migrations/env.py" in made.stdout
    assert project.ok("init").stdout.startswith("0 of 0 revisions are expanded in the database at host=")
    assert project.alembic("revision", "-m", "create users", "--rev-id", "0001").code == 0
    (file,) = project.versions.glob("*.py")
    assert "Expand: " in file.read_text()
    file.write_text(
        file.read_text().replace("    pass", '    op.execute("CREATE TABLE users (id int PRIMARY KEY)")', 1)
    )
    project.ok("migrate", "expand")
    assert project.columns("users") == ["id"]
    assert project.alembic("current").stdout.startswith("0001")
    assert project.alembic("check").code in (0, 255)  # without metadata Alembic has nothing to compare
    occupied = project.ec("init", "--directory", "elsewhere")
    assert occupied.code == 0  # a project is there, so it is adopted and nothing is made
    assert not (folder / "elsewhere").exists()


def test_a_new_project_does_not_overwrite_what_is_there(tmp_path, database, make_project):
    project = make_project(database)
    project.folder = tmp_path / "taken"
    project.write("migrations/env.py", "mine\n")
    before = project.files()

    ran = project.ec("init", "--json")

    assert ran.code == 2
    assert "exists already" in ran.json["error"]["message"]
    assert project.files() == before
