"""Two developers' heads: refused until they are joined, and joined whatever of them has been applied already."""

from __future__ import annotations

import pytest

from tests.fixtures.project import AlembicProject, ProjectMaker
from tests.fixtures.servers import Database

ADD = """
def upgrade():
    op.add_column("users", sa.Column("{column}", sa.Text))


def downgrade():
    op.drop_column("users", "{column}")
"""
CREATE = """
def upgrade():
    op.create_table("users", sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("old", sa.Text))


def downgrade():
    op.drop_table("users")
"""
WITH_CONTRACT = (
    ADD.format(column="left_one")
    + """

def contract():
    op.drop_column("users", "old")
"""
)


@pytest.fixture
def forked(project: AlembicProject) -> AlembicProject:
    """A history that two developers have each gone on with: ``left`` has a contract, ``right`` has none."""
    project.revision("root", CREATE, title="create users")
    project.revision("left", WITH_CONTRACT, after="root", title="the left one")
    project.revision("right", ADD.format(column="right_one"), after="root", title="the right one")
    return project


def test_several_heads_are_refused_with_the_command_that_joins_them(forked: AlembicProject) -> None:
    for command in (("migrate", "expand"), ("migrate", "expand", "left"), ("migrate", "all")):
        ran = forked.ec(*command)
        assert ran.code == 2
        assert "2 heads: left, right" in ran.stderr
        assert "ec revision --merge" in ran.stderr


@pytest.mark.parametrize("applied", ["left", "right", "heads"])
def test_a_merge_goes_on_from_whatever_has_been_applied(forked: AlembicProject, applied: str) -> None:
    forked.ok("init")
    forked.alembic("upgrade", applied)

    written = forked.ok("revision", "--merge", "--json").json["files"]
    forked.ok("migrate", "expand")

    assert [file["text"].splitlines()[0] for file in written] == ['"""merge left and right"""']
    after = forked.steps()
    assert {step: state for step, state in after.items() if step.startswith("expand")} == {
        f"expand {revision}": "done" for revision in ("root", "left", "right", written[0]["revision"])
    }
    assert "contract left" not in after
    assert [row[0] for row in forked.rows("SELECT version_num FROM alembic_version")] == [written[0]["revision"]]


def test_the_contract_of_one_side_runs_after_the_merge(forked: AlembicProject) -> None:
    forked.ok("revision", "--merge", "-m", "both", "left", "right")
    forked.ok("migrate", "all")
    assert forked.steps()["contract left"] == "done"


def test_a_change_that_is_put_after_another_keeps_its_state(forked: AlembicProject) -> None:
    forked.ok("init")
    forked.alembic("upgrade", "left")
    forked.ok("status")
    forked.alembic("upgrade", "right")
    moved = next(forked.versions.glob("right*"))

    moved.write_text(moved.read_text().replace("root", "left"))
    forked.execute("DELETE FROM alembic_version WHERE version_num = 'left'")
    forked.ok("migrate", "expand")

    after = forked.steps()
    assert after["expand left"] == after["expand right"] == "done"
    assert "contract left" not in after


def test_there_is_nothing_to_merge_in_a_history_with_one_head(make_project: ProjectMaker, database: Database) -> None:
    project = make_project(database)
    project.revision("root", CREATE, title="create users")
    ran = project.ec("revision", "--merge")
    assert ran.code == 2
    assert "nothing to merge" in ran.stderr
