"""``kill -9`` of ec during expand and contract: the same command again finishes, once and whole."""

import pytest

from tests.fixtures.project import CREATE_USERS, rename_name, until

# Each part says on the server that it has come so far, and goes on when the test takes its table away.
WAIT = """
def wait(name):
    op.execute(f"SELECT pg_sleep(60) /* {name} */ WHERE to_regclass('public.go_on') IS NULL")
"""

EXPAND_IN_PARTS = (
    WAIT
    + """
def add_notes():
    op.add_column("users", sa.Column("notes", sa.Text))
    wait("add_notes")


def fill_notes():
    op.execute("UPDATE users SET notes = coalesce(notes, '') || 'filled'")
    wait("fill_notes")


def index_notes():
    with op.get_context().autocommit_block():
        op.create_index("users_notes", "users", ["notes"], postgresql_concurrently=True)


expand = (add_notes, fill_notes, index_notes)


def upgrade():
    for part in expand:
        part()


def downgrade():
    op.drop_column("users", "notes")
"""
)

CONTRACT_IN_PARTS = (
    WAIT
    + rename_name("1ms").replace("contract = (validate, remove_name)", "")
    + """
def count_one():
    op.execute("UPDATE counted SET n = n + 1")


def remove_slowly():
    remove_name()
    wait("remove_slowly")


contract = (validate, count_one, remove_slowly)
"""
)


def sleeping(project, name):
    """The backend that waits in that part, or None."""
    query = f"SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%/* {name} */%' AND pid <> "
    found = project.rows(query + "pg_backend_pid()")
    return found[0][0] if found else None


def kill_in(project, part, *command):
    """Kill the command while its part waits, and wait until the server has noticed."""
    running = project.start(*command)
    pid = until(lambda: sleeping(project, part) or not running.is_running, what=part)
    assert running.is_running, running.end()
    running.kill()
    project.execute(f"SELECT pg_terminate_backend({pid})")  # what its keepalives or its next read do later
    until(lambda: not project.runners(), what="the runner's lock")


@pytest.fixture
def users(project):
    project.revision("0001", CREATE_USERS, title="create users")
    project.ok("migrate", "expand")
    project.execute("INSERT INTO users (name) SELECT 'person ' || i FROM generate_series(1, 500) i")
    return project


def test_an_expand_killed_in_its_first_part_leaves_nothing_and_runs_again(users):
    users.revision("0002", EXPAND_IN_PARTS, after="0001", title="add notes")
    before = users.snapshot()

    kill_in(users, "add_notes", "migrate", "expand")

    assert users.snapshot() == before
    users.execute("CREATE TABLE go_on ()")
    done = users.json("migrate", "expand")
    assert done["steps"] == ["expand 0002"]
    assert users.value("SELECT count(*) FROM users WHERE notes = 'filled'") == 500


def test_an_expand_killed_between_its_parts_goes_on_at_the_next(users):
    users.revision("0002", EXPAND_IN_PARTS, after="0001", title="add notes")
    running = users.start("migrate", "expand")
    pid = until(lambda: sleeping(users, "add_notes"))
    users.execute(f"SELECT pg_cancel_backend({pid})")  # the first part fails, and is as if it had never been
    assert running.end().code == 7
    assert "notes" not in users.columns("users")

    users.revision("0002", EXPAND_IN_PARTS.replace('    wait("add_notes")', ""), after="0001", title="add notes")
    kill_in(users, "fill_notes", "migrate", "expand")

    assert users.steps()["expand 0002"] == "started"
    assert users.value("SELECT count(*) FROM users WHERE notes IS NULL") == 500
    assert users.value("SELECT version_num FROM alembic_version") == "0001"  # it moves with the last part
    assert users.json("status", "--check", code=1)["steps"][0]["state"] == "started"
    users.execute("CREATE TABLE go_on ()")
    again = users.ok("migrate", "expand")
    assert "add_notes" not in again.stderr
    assert users.value("SELECT count(*) FROM users WHERE notes = 'filled'") == 500
    assert users.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 'users_notes'::regclass") == [(True,)]
    assert users.steps()["expand 0002"] == "done"
    assert users.value("SELECT version_num FROM alembic_version") == "0002"


BUILDING = "SELECT pid FROM pg_stat_progress_create_index"
INDEX = """
def index_names():
    with op.get_context().autocommit_block():
        op.create_index("users_name", "users", ["name"], postgresql_concurrently=True)


def upgrade():
    index_names()


def downgrade():
    op.drop_index("users_name")
"""


def index_is_valid(project):
    return project.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('users_name')")


def kill_while_the_index_is_built(project):
    running = project.start("migrate", "expand")
    until(lambda: project.rows(BUILDING) or not running.is_running, what="the index being built")
    running.kill()
    until(lambda: not project.runners(), what="the runner's lock")


def test_an_index_left_invalid_by_a_killed_runner_is_built_anew(users):
    users.revision("0002", INDEX, after="0001", title="index users.name")
    with users.transaction("UPDATE users SET name = name WHERE id = 1"):  # CONCURRENTLY waits for every older writer
        kill_while_the_index_is_built(users)
        users.execute(f"SELECT pg_terminate_backend(pid) FROM ({BUILDING}) b")
        until(lambda: not users.rows(BUILDING), what="the server giving up")
    assert index_is_valid(users) == [(False,)]
    assert users.steps()["expand 0002"] == "started"

    users.ok("migrate", "expand")

    assert index_is_valid(users) == [(True,)]
    assert users.steps()["expand 0002"] == "done"


def test_an_index_that_the_server_still_builds_after_the_kill_is_there_in_the_end(users):
    users.revision("0002", INDEX, after="0001", title="index users.name")
    with users.transaction("UPDATE users SET name = name WHERE id = 1"):
        kill_while_the_index_is_built(users)
        again = users.start("migrate", "expand")
        waits = "SELECT FROM pg_stat_activity WHERE application_name LIKE 'ec:%' AND query LIKE 'DROP INDEX%'"
        until(lambda: users.rows(waits) or not again.is_running, what="the second run meeting the first one's index")

    assert again.end().code in (0, 6)
    until(lambda: not users.rows(BUILDING), what="the server having finished")
    assert users.ec("migrate", "expand").code == 0
    assert index_is_valid(users) == [(True,)]
    assert users.steps()["expand 0002"] == "done"


def test_a_contract_killed_inside_a_part_and_between_parts_goes_on_where_it_was(users):
    users.execute("CREATE TABLE counted (n int)", "INSERT INTO counted VALUES (0)")
    users.revision("0002", CONTRACT_IN_PARTS, after="0001", title="rename")
    users.ok("migrate", "expand")
    users.ok("backfill")
    users.ok("colour", "deploy", "green", "2")
    users.ok("colour", "traffic", "green=100")
    users.revision("0001", CREATE_USERS, title="create users")

    kill_in(users, "remove_slowly", "migrate", "contract")

    # two parts are done, the third is rolled back as a whole
    assert users.steps()["contract 0002"] == "started"
    assert users.value("SELECT n FROM counted") == 1
    assert users.columns("users") == ["display_name", "id", "name"]
    users.execute("INSERT INTO users (name) VALUES ('still kept in step')")
    assert users.value("SELECT count(*) FROM users WHERE display_name = 'still kept in step'") == 1
    # a release that lacks the change may not come back now, and the undo is refused
    planned = {step["step"]: step for step in users.json("plan")["steps"]}
    assert planned["contract 0002"]["state"] == "started"
    assert "contracted" in {no["code"] for no in users.json("undo", "0002", code=3)["refusals"]}

    kill_in(users, "remove_slowly", "migrate", "contract")
    assert users.value("SELECT n FROM counted") == 1
    users.execute("CREATE TABLE go_on ()")
    users.ok("migrate", "contract")
    assert users.columns("users") == ["display_name", "id"]
    assert users.value("SELECT n FROM counted") == 1
    assert users.value("SELECT count(*) FROM users WHERE display_name IS NULL") == 0
    assert users.json("migrate", "contract")["outcome"] == "nothing"
    parts = [event["facts"].get("part") for event in users.json("log", "0002")["events"] if "contract" in event["kind"]]
    assert parts == ["validate", "count_one", "remove_slowly"]


def test_a_half_done_contract_is_not_finished_over_the_head_of_an_old_release(users):
    users.execute("CREATE TABLE counted (n int)", "INSERT INTO counted VALUES (0)")
    users.ok("colour", "deploy", "blue", "1")
    users.revision("0002", CONTRACT_IN_PARTS, after="0001", title="rename")
    users.ok("migrate", "expand")
    users.ok("backfill")
    users.ok("colour", "deploy", "green", "2")
    users.ok("colour", "traffic", "green=100")
    kill_in(users, "remove_slowly", "migrate", "contract")

    assert users.ec("colour", "check", "blue").code == 3
    assert users.ec("colour", "traffic", "blue=100").code == 3  # somebody does it all the same
    refused = users.json("migrate", "contract", code=3)

    assert "live-lacks" in {no["code"] for no in refused["refusals"]}
    assert users.columns("users") == ["display_name", "id", "name"]
