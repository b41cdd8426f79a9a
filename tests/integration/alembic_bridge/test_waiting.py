"""Plain Alembic reports nothing that a waiting contract will do away with, and undoes nothing that one has done."""

from __future__ import annotations

import pytest

from tests.fixtures.lifecycle import ENV, MODELS
from tests.fixtures.project import AlembicProject

TABLE = """
users = sa.Table(
    "users", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    {columns}
)
"""
OLD = """sa.Column("name", sa.Text, nullable=False), sa.Column("email", sa.Text), sa.Column("code", sa.Text),
    sa.Index("ix_users_code", "code"), sa.Index("ix_users_email", "email"),"""
NEW = """sa.Column("email", sa.Text, nullable=False, default="none"), sa.Column("code", sa.Text, unique=True),
    sa.Index("ix_users_email", "email", "id"),"""


def write_models(project: AlembicProject, columns: str) -> None:
    project.write("models.py", MODELS + TABLE.format(columns=columns))


@pytest.fixture
def waiting(project: AlembicProject) -> AlembicProject:
    """A change of which only the contract waits; plain alembic has expanded it."""
    project.write("migrations/env.py", ENV)
    write_models(project, OLD)
    project.ok("revision", "--autogenerate", "-m", "begin", "--rev-id", "aaa1")
    project.alembic("upgrade", "head")
    write_models(project, NEW)
    project.ok("revision", "--autogenerate", "-m", "go on", "--rev-id", "bbb2")
    project.alembic("upgrade", "head")
    return project


def test_alembic_check_is_quiet_about_what_a_waiting_contract_will_do(waiting: AlembicProject) -> None:
    assert waiting.alembic("check").code == 0
    waiting.ok("init")
    assert waiting.alembic("check").code == 0
    waiting.ok("migrate", "all")
    assert waiting.alembic("check").code == 0


def test_autogenerate_writes_only_what_is_new(waiting: AlembicProject) -> None:
    write_models(waiting, NEW + 'sa.Column("nick", sa.Text),')
    (written,) = waiting.json("revision", "--autogenerate", "-m", "nick", "--dry-run")["files"]
    assert "nick" in written["text"]
    assert "def contract" not in written["text"]
    assert "name" not in written["text"].partition("def upgrade")[2].replace("nickname", "")
    assert waiting.alembic("check").code == 255


def test_a_removal_taken_back_is_a_difference_again(waiting: AlembicProject) -> None:
    waiting.ok("migrate", "all")
    write_models(waiting, NEW + 'sa.Column("name", sa.Text),')
    (written,) = waiting.json("revision", "--autogenerate", "-m", "name again", "--dry-run")["files"]
    assert 'op.add_column("users", sa.Column("name"' in written["text"]


def test_a_downgrade_past_a_contract_is_refused_online_and_in_a_script(waiting: AlembicProject) -> None:
    waiting.ok("migrate", "all")
    before = waiting.snapshot()

    online = waiting.alembic("downgrade", "aaa1")
    script = waiting.alembic("downgrade", "bbb2:aaa1", "--sql")

    assert online.code == 255
    assert "bbb2 can't be downgraded: its contract has run" in online.stdout + online.stderr
    assert script.code == 0
    with pytest.raises(Exception, match="bbb2 can't be downgraded"):
        waiting.execute(script.stdout)
    assert waiting.snapshot() == before


def test_a_downgrade_before_the_contract_is_none_of_our_business(waiting: AlembicProject) -> None:
    assert waiting.alembic("downgrade", "aaa1").code == 0
    next(waiting.versions.glob("bbb2*")).unlink()
    write_models(waiting, OLD)
    assert waiting.alembic("check").code == 0


def test_the_guard_in_env_py_refuses_for_revisions_that_a_person_wrote(renaming: AlembicProject) -> None:
    renaming.ok("migrate", "all")
    env = (renaming.folder / "migrations/env.py").read_text()
    guarded = "from expandcontract import guard_downgrades\n" + env.replace(
        "target_metadata=target_metadata", "target_metadata=target_metadata, on_version_apply=guard_downgrades"
    )
    # without its own words: the triggers that downgrade() drops are gone, which would fail anyway
    file = next(renaming.versions.glob("0002*"))
    file.write_text(
        file.read_text().replace('    op.drop_sync(sync)\n    op.drop_column("users", "display_name")', "    pass")
    )
    renaming.write("migrations/env.py", guarded)
    before = renaming.snapshot()

    refused = renaming.alembic("downgrade", "0001")

    assert refused.code == 255
    assert "0002 can't be downgraded" in refused.stdout + refused.stderr
    assert renaming.snapshot() == before
