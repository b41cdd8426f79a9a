"""What ``--dry-run`` and ``--sql`` promise: nothing is written, and the script does what a run would do."""

import psycopg
import pytest

from tests.fixtures.project import ADD_NOTES, CREATE_USERS, catalogue, rename_name
from tests.fixtures.servers import fresh_database

PARTS = """
def upgrade():
    add_notes()
    fill_notes()

def add_notes():
    op.add_column("users", sa.Column("notes", sa.Text))

def fill_notes():
    op.execute("UPDATE users SET notes = 'it''s 100 %: fine'")

expand = (add_notes, fill_notes)

def downgrade():
    op.drop_column("users", "notes")
"""


@pytest.fixture
def half_way(project):
    """0002 is expanded and not filled, 0003 waits; blue has the traffic, and green none yet."""
    project.revision("0001", CREATE_USERS, title="create users")
    project.ok("migrate", "expand")
    project.execute("INSERT INTO users (name) SELECT 'person ' || i FROM generate_series(1, 100) i")
    project.ok("colour", "deploy", "blue", "1")
    project.ok("colour", "traffic", "blue=100")
    project.revision("0002", rename_name(simply=True), after="0001", title="rename users.name to display_name")
    project.ok("migrate", "expand")
    project.ok("colour", "deploy", "green", "2")
    project.revision("0003", ADD_NOTES, after="0002", title="add notes")
    return project


DRY = [
    ("init", "--dry-run"),
    ("migrate", "expand", "--dry-run"),
    ("migrate", "expand", "--sql"),
    ("migrate", "contract", "--dry-run"),
    ("migrate", "contract", "--sql"),
    ("migrate", "all", "--dry-run"),
    ("backfill", "--dry-run"),
    ("undo", "0002", "--dry-run"),
    ("undo", "0002", "--dry-run", "--give-up", "1"),
    ("colour", "deploy", "green", "3", "--dry-run"),
    ("colour", "deploy", "yellow", "3", "--dry-run"),
    ("colour", "traffic", "green=100", "--dry-run"),
    ("colour", "retire", "green", "--dry-run"),
    ("colour", "check", "green"),
    ("colour", "show"),
    ("plan",),
    ("status",),
    ("status", "--check"),
    ("log",),
]


def test_a_dry_run_writes_nothing_and_needs_no_right_to_write(half_way, make_login):
    reader = make_login()
    name = psycopg.conninfo.conninfo_to_dict(reader)["user"]
    half_way.execute(
        f"GRANT USAGE ON SCHEMA ec, public TO {name}", f"GRANT SELECT ON ALL TABLES IN SCHEMA ec, public TO {name}"
    )
    before, files = half_way.snapshot(), half_way.files()

    for arguments in DRY:
        theirs = half_way.ec(*arguments, "--json", variables={"EC_DATABASE_URL": reader})
        ours = half_way.ec(*arguments, "--json")
        assert (theirs.code, theirs.json["outcome"]) == (ours.code, ours.json["outcome"]), (arguments, theirs, ours)
        assert ours.json["outcome"] != "failed" or arguments[1] == "all", (arguments, ours)
        if "--dry-run" in arguments and ours.json["outcome"] != "failed":
            assert ours.json["dry_run"] is True

    assert half_way.snapshot() == before
    assert half_way.files() == files


def test_a_dry_run_without_a_ledger_leaves_none(renaming):
    before = renaming.snapshot()

    foreseen = renaming.json("migrate", "expand", "--dry-run")
    assert foreseen["steps"] == ["expand 0001", "expand 0002"]
    assert renaming.json("migrate", "all", "--dry-run")["steps"][-1] == "contract 0002"
    for arguments in [
        ("init",),
        ("migrate", "contract"),
        ("backfill",),
        ("undo", "0001"),
        ("colour", "deploy", "b", "1"),
    ]:
        renaming.ec(*arguments, "--dry-run")
    for arguments in [("plan",), ("status",), ("log",), ("colour", "show")]:
        assert renaming.ec(*arguments).code == 0

    assert renaming.snapshot() == before


def test_a_dry_run_says_what_a_run_then_does(half_way):
    for arguments in [("migrate", "expand"), ("backfill",)]:
        foreseen, done = half_way.json(*arguments, "--dry-run"), half_way.json(*arguments)
        assert foreseen["steps"] == done["steps"] != []
    assert half_way.ok("migrate", "expand", "--dry-run").stdout == "nothing to do\n"
    before = half_way.json("colour", "show")["colours"]
    foreseen = half_way.json("colour", "traffic", "green=100", "--dry-run")["colours"]
    assert [view["weight"] for view in foreseen] == [0, 100]
    assert [view["weight"] for view in half_way.json("colour", "show")["colours"]] == [100, 0]
    assert before[0]["weight"] == 100


def apply(project, script):
    """Run a script as psql does: statement after statement, with the transactions that it opens itself."""
    with project.connect(autocommit=True) as connection:
        connection.execute(script.encode())


def test_the_sql_of_an_expand_does_what_a_run_does(renaming, make_project, server):
    renaming.revision("0002", PARTS, after="0001", title="add notes, 100 %")
    renaming.revision("0003", rename_name(), after="0002", title="rename users.name to display_name")
    renaming.ok("migrate", "expand", "0001")
    with fresh_database(server) as other:
        by_script = make_project(other, folder="by_script")
        for file in renaming.versions.glob("*.py"):
            by_script.write(f"migrations/versions/{file.name}", file.read_text())
        by_script.ok("migrate", "expand", "0001")

        renaming.ok("migrate", "expand")
        apply(by_script, by_script.ok("migrate", "expand", "--sql").stdout)

        assert definitions(by_script) == definitions(renaming)
        for project in (by_script, renaming):
            project.execute(
                "INSERT INTO users (name) VALUES ('old code')", "INSERT INTO users (display_name) VALUES ('new code')"
            )
            rows = project.rows("SELECT name, display_name FROM users ORDER BY id")
            assert rows == [("old code", "old code"), ("new code", "new code")]
        assert ledger_of(by_script) == ledger_of(renaming)
        assert by_script.json("migrate", "expand")["outcome"] == "nothing"
        events = [event["kind"] for event in by_script.json("log", "0002")["events"]]
        assert events == ["expand part done", "expand done"]


def test_the_sql_of_a_contract_does_what_a_run_does(renaming):
    renaming.ok("migrate", "expand")
    renaming.execute("INSERT INTO users (name) VALUES ('a')")
    renaming.ok("backfill")
    refused = renaming.ec("migrate", "contract", "--sql")
    assert refused.code == 3
    assert "DROP" not in refused.stdout
    renaming.ok("colour", "deploy", "green", "1")
    renaming.ok("colour", "traffic", "green=100")
    renaming.revision("0002", rename_name("1ms"), after="0001", title="rename users.name to display_name")

    apply(renaming, renaming.ok("migrate", "contract", "--sql").stdout)

    assert renaming.columns("users") == ["display_name", "id"]
    assert renaming.steps()["contract 0002"] == "done"
    assert renaming.json("migrate", "contract")["outcome"] == "nothing"
    assert "SQL" not in renaming.ok("migrate", "contract", "--sql").stdout


def test_a_script_of_a_database_without_a_ledger_stops_before_it_changes_anything(renaming):
    script = renaming.ok("migrate", "expand", "--sql").stdout
    before = renaming.snapshot()

    with pytest.raises(psycopg.errors.UndefinedTable):
        apply(renaming, script)

    assert renaming.snapshot() == before


def test_sql_of_a_part_that_reads_the_database_is_refused_with_its_place(renaming):
    body = "def upgrade():\n    op.get_bind().execute(sa.text('SELECT 1')).scalar_one()\n\ndef downgrade(): pass\n"
    file = renaming.revision("0002", body, after="0001")

    ran = renaming.ec("migrate", "expand", "--sql")

    assert ran.code == 2
    assert str(file) in ran.stderr
    assert "next:    run it online, without --sql" in ran.stderr


def definitions(project):
    """The catalogue; of a trigger its name, for a script can't know the types that make its condition cheap."""
    found = catalogue(project.dsn)
    names = [(schema, text.split(" BEFORE ")[0].rpartition("_")[0]) for schema, text in found["triggers"]]
    return {**found, "triggers": sorted(names)}


def ledger_of(project):
    steps = project.rows("SELECT revision, phase, state, title, parts_done, outside FROM ec.step ORDER BY 1, 2")
    return steps, project.rows("SELECT version_num FROM alembic_version")


def test_the_script_of_an_expand_stops_on_a_database_that_is_elsewhere(half_way):
    script = half_way.ok("migrate", "expand", "--sql").stdout
    half_way.ok("migrate", "expand")
    before = half_way.snapshot()

    with pytest.raises(psycopg.errors.RaiseException, match="goes on from 0002, and the database is elsewhere"):
        apply(half_way, script)

    assert half_way.snapshot() == before


def test_the_script_of_a_contract_stops_once_a_release_without_the_change_had_traffic(half_way):
    title = "rename users.name to display_name"
    half_way.revision("0002", rename_name("1ms", simply=True), after="0001", title=title)
    half_way.ok("migrate", "expand")
    half_way.ok("backfill")
    half_way.ok("colour", "traffic", "green=100")
    script = half_way.ok("migrate", "contract", "0002", "--sql").stdout
    half_way.ok("colour", "traffic", "blue=100")
    half_way.ok("colour", "traffic", "green=100")
    before = half_way.snapshot()

    with pytest.raises(psycopg.errors.RaiseException, match="a release without 0002 has had traffic since"):
        apply(half_way, script)

    assert half_way.snapshot() == before
