"""Changes whose statements last until the test lets them end, and whoever is in them."""

from __future__ import annotations

from tests.fixtures.project import CREATE_USERS, AlembicProject, Running, until

# The server is at work here until the table go_on exists, with all the locks that the transaction has taken.
ADD_NOTES_SLOWLY = """
def upgrade():
    op.add_column("users", sa.Column("notes", sa.Text))
    op.execute(
        "DO 'BEGIN WHILE NOT EXISTS (SELECT FROM pg_class WHERE relname = ''go_on'')"
        " LOOP PERFORM pg_sleep(0.05); END LOOP; END' /* slowly */"
    )


def downgrade():
    op.drop_column("users", "notes")
"""

INDEX_NAMES = """
def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("users_name", "users", ["name"], unique={unique}, postgresql_concurrently=True)


def downgrade():
    op.drop_index("users_name")
"""

BUILDING = "SELECT pid FROM pg_stat_progress_create_index"
_SLOWLY = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO %/* slowly */'"
RUNNER_LOCK = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 25955 AND objid = 1"


def with_users(project: AlembicProject, body: str = ADD_NOTES_SLOWLY, *, users: int = 500) -> AlembicProject:
    """Users are there, and the next change isn't yet."""
    project.revision("0001", CREATE_USERS, title="create users")
    project.ok("migrate", "expand")
    project.execute(f"INSERT INTO users (name) SELECT 'person ' || i FROM generate_series(1, {users}) i")
    project.revision("0002", body, after="0001", title="the change")
    return project


def begun(project: AlembicProject, *command: str) -> tuple[Running, int]:
    """A command in the midst of its slow statement, and the backend that runs it."""
    running = project.start(*(command or ("migrate", "expand")))
    found = until(lambda: project.rows(_SLOWLY) or not running.is_running, what="the slow statement")
    assert running.is_running, running.end()
    return running, found[0][0]


def building(project: AlembicProject) -> Running:
    """A command in the midst of a concurrent index build, which whoever is in the way keeps from ending."""
    running = project.start("migrate", "expand")
    until(lambda: project.rows(BUILDING) or not running.is_running, what="the index being built")
    assert running.is_running, running.end()
    return running


def go_on(project: AlembicProject) -> None:
    """Slow statements end."""
    project.execute("CREATE TABLE IF NOT EXISTS go_on ()")


def index_is_valid(project: AlembicProject) -> list[bool]:
    """Whether users_name is valid, if it is there at all."""
    return [
        row[0] for row in project.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('users_name')")
    ]
