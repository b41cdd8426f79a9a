"""An index that a build left INVALID is never taken for a good one, whoever left it and however the step spells it."""

import psycopg
import pytest

from tests.fixtures.project import CREATE_USERS

BUILDS = {
    "op": 'op.create_index("users_name", "users", ["name"], unique=True, postgresql_concurrently=True)',
    "op, if not exists": 'op.create_index("users_name", "users", ["name"], unique=True, postgresql_concurrently=True,'
    " if_not_exists=True)",
    "SQL": 'op.execute("CREATE UNIQUE INDEX CONCURRENTLY users_name ON users (name)")',
    "the author's own connection": "op.get_bind().execute("
    'sa.text("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS users_name ON users (name)"))',
    "SQL, if not exists": 'op.execute("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS"'
    ' " users_name ON public.users (name)")',
}
# make test has the two that differ most
SOME = [
    pytest.param(build, id=name, marks=() if name in ("op", "the author's own connection") else pytest.mark.long)
    for name, build in BUILDS.items()
]


def building(build):
    return f"""
    def upgrade():
        with op.get_context().autocommit_block():
            {build}

    def downgrade():
        op.drop_index("users_name")
    """


@pytest.fixture
def users(project):
    project.revision("0001", CREATE_USERS, title="create users")
    project.ok("migrate", "expand")
    project.execute("INSERT INTO users (name) VALUES ('ada'), ('ada')")
    return project


def is_valid(project):
    return project.value("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('users_name')")


@pytest.mark.parametrize("build", SOME)
def test_what_a_failed_step_left_is_built_anew(users, build):
    users.revision("0002", building(build), after="0001")
    failed = users.ec("migrate", "expand")
    assert failed.code == 7, failed
    assert is_valid(users) is False

    assert users.ec("migrate", "expand").code == 7  # the duplicates are still there
    assert is_valid(users) is False
    users.execute("DELETE FROM users WHERE id = 2")
    users.ok("migrate", "expand")

    assert is_valid(users) is True


@pytest.mark.parametrize("build", [build for name, build in BUILDS.items() if "exists" in name])
def test_what_somebody_else_left_is_not_taken_for_a_good_one(users, build):
    with pytest.raises(psycopg.errors.UniqueViolation):
        users.execute("CREATE UNIQUE INDEX CONCURRENTLY users_name ON users (name)")
    users.execute("DELETE FROM users WHERE id = 2")
    users.revision("0002", building(build), after="0001")

    users.ok("migrate", "expand")

    assert is_valid(users) is True


@pytest.mark.parametrize("build", SOME)
def test_what_was_finished_before_the_ledger_knew_is_kept(users, build):
    """The process dies between the build and the row in the ledger."""
    users.execute("DELETE FROM users WHERE id = 2")
    users.revision("0002", building(f"{build}\n            raise RuntimeError('dies here')"), after="0001")
    assert users.ec("migrate", "expand").code == 7
    before = users.value("SELECT 'users_name'::regclass::oid")
    users.revision("0002", building(build), after="0001")

    users.ok("migrate", "expand")

    assert is_valid(users) is True
    assert users.value("SELECT 'users_name'::regclass::oid") == before
