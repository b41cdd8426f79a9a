"""Each test that the plug-in brings fails on a project that is broken in just that way, and says where."""

from __future__ import annotations

import pytest

from tests.fixtures.project import INI, SYNC_ENV
from tests.fixtures.servers import Server

MODELS = """
metadata = sa.MetaData()
sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("display_name", sa.Text),
)
target_metadata = metadata
"""

FIRST = '''
"""create users"""
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade():
    op.create_table(
        "users", sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True), sa.Column("name", sa.Text)
    )


def downgrade():
    op.drop_table("users")
'''

SECOND = '''
"""rename"""
import sqlalchemy as sa
from alembic import op

from expandcontract import Backfill, Sync

revision, down_revision = "0002", "0001"
sync = Sync("users", forward={"display_name": "name"}, backward={"name": "display_name"})
backfill = Backfill(sync)


def upgrade():
    op.add_column("users", sa.Column("display_name", sa.Text))
    op.create_sync(sync)


def downgrade():
    op.drop_sync(sync)
    op.drop_column("users", "display_name")


def contract():
    op.drop_sync(sync)
    op.drop_column("users", "name")
'''

# the expand depends on whether the contract before it has run, in a way that SQL doesn't tell
THIRD = '''
"""note what there is"""
from alembic import op

revision, down_revision = "0003", "0002"
LOOK = """
DO $$ BEGIN
  IF (SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('use' || 'rs') AND attnum > 0
      AND NOT attisdropped) = 2
  THEN CREATE TABLE contracted (); ELSE CREATE TABLE waiting (); END IF;
END $$
"""


def upgrade():
    op.execute(LOOK)


def downgrade():
    op.execute("DROP TABLE IF EXISTS contracted")
    op.execute("DROP TABLE IF EXISTS waiting")
'''

ALL = ("every_phase_runs", "contracts_may_wait", "an_expand_can_be_undone", "phases_are_pure", "models_match")
BROKEN = {
    "every_phase_runs": (
        ('op.drop_column("users", "name")', 'op.drop_column("users", "nome")'),
        'contract 0002 (rename) failed: *column "nome" of relation "users" does not exist',
    ),
    "contracts_may_wait": (None, "with contracts as late as possible the schema ends as another one*"),
    "an_expand_can_be_undone": (
        ('    op.drop_column("users", "display_name")\n', ""),
        "0002: downgrade() leaves another schema:*",
    ),
    "phases_are_pure": (
        ("op.create_sync(sync)", 'op.create_sync(sync)\n    op.execute("ALTER TABLE users RENAME id TO number")\n'
         '    op.execute("ALTER TABLE users RENAME number TO id")'),
        "*0002.py:*: rename-column: *",
    ),
    "models_match": (
        ('sa.Column("display_name", sa.Text)', 'sa.Column("display_name", sa.String(9))'),
        "modify_type *",
    ),
}  # fmt: skip


def lay_out(pytester: pytest.Pytester, server: Server, second: str = SECOND, third: str | None = None) -> None:
    versions = pytester.mkdir("migrations") / "versions"
    versions.mkdir()
    env = SYNC_ENV.replace("target_metadata = None", MODELS).replace(
        "target_metadata=target_metadata)", "target_metadata=target_metadata, compare_type=True)"
    )
    (pytester.path / "migrations" / "env.py").write_text(env)
    (pytester.path / "alembic.ini").write_text(INI.format(url="postgresql://nobody@nowhere.invalid/production"))
    for name, text in (("0001", FIRST), ("0002", second), ("0003", third)):
        if text:
            (versions / f"{name}.py").write_text(text.lstrip())
    pytester.makeconftest(
        f"import pytest\n\n@pytest.fixture(scope='session')\ndef ec_server_url():\n    return {server.admin_dsn!r}\n"
    )
    pytester.makepyfile(test_migrations="from expandcontract.pytest_plugin import TestMigrations  # noqa: F401\n")


def test_one_line_tests_a_sound_project(pytester: pytest.Pytester, server: Server) -> None:
    lay_out(pytester, server)

    ran = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider", "-n", "0")

    ran.assert_outcomes(passed=len(ALL))


@pytest.mark.parametrize("test", ALL)
def test_a_broken_project_is_found_out_by_the_test_for_it(pytester: pytest.Pytester, server: Server, test: str) -> None:
    edit, said = BROKEN[test]
    if edit:
        assert edit[0] in SECOND
    lay_out(pytester, server, SECOND.replace(*edit) if edit else SECOND, None if edit else THIRD)

    ran = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider", "-n", "0", "-k", f"test_{test}")

    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines([said])
    ran.stdout.no_fnmatch_line("*Traceback*")


def test_a_database_that_env_py_insists_on_is_left_alone(pytester: pytest.Pytester, server: Server, database) -> None:
    lay_out(pytester, server)
    env = pytester.path / "migrations" / "env.py"
    env.write_text(env.read_text().replace('os.environ.get("EC_DATABASE_URL")', repr(database.dsn)))

    ran = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider", "-n", "0", "-k", "test_every_phase_runs")

    ran.assert_outcomes(failed=1)
    with database.connect() as connection:
        assert connection.execute("SELECT to_regclass('users'), to_regclass('alembic_version')").fetchone() == (
            None,
            None,
        )
