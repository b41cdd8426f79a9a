"""Commands that write files, killed among them: each file is there whole or not at all, the same command ends it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from itertools import count, takewhile
from pathlib import Path

import pytest

from tests.fixtures.dying import die_after_bytes, die_at_change
from tests.fixtures.project import CREATE_USERS, AlembicProject, ProjectMaker
from tests.fixtures.servers import Database

MODELS = """
import sqlalchemy as sa

metadata = sa.MetaData()
sa.Table("users", metadata, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("nick", sa.Text))
"""
COMMANDS = {
    "init": ("init", "--directory", "db"),
    "new": ("new", "add-index", "users", "name", "--rev-id", "0002"),
    "revision": ("revision", "-m", "more", "--rev-id", "0002"),
    "autogenerate": ("revision", "--autogenerate", "-m", "more", "--rev-id", "0002"),
    "baseline": ("lint", "--write-baseline", "baseline.json"),
}
UNFINISHED = ".part"


@pytest.fixture
def authored(make_project: ProjectMaker, database: Database) -> AlembicProject:
    """A project whose one change is applied and whose models have another one."""
    project = make_project(database)
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    project.write("models.py", MODELS)
    env = project.folder / "migrations" / "env.py"
    env.write_text("from models import metadata\n" + env.read_text().replace("= None", "= metadata", 1))
    return project


@pytest.mark.parametrize("command", COMMANDS)
def test_a_killed_author_leaves_whole_files_and_the_same_command_writes_the_rest(
    authored: AlembicProject, tmp_path: Path, command: str
) -> None:
    if command == "init":
        shutil.rmtree(authored.folder)
        authored.folder.mkdir()
    before, spare = authored.files(), tmp_path / "before"
    shutil.copytree(authored.folder, spare)
    authored.ok(*COMMANDS[command])
    whole = authored.files()
    assert whole != before

    def is_killed_by(death: Callable[[], None]) -> bool:
        shutil.rmtree(authored.folder)
        shutil.copytree(spare, authored.folder)
        code = authored.ec(*COMMANDS[command], first=death).code
        left = finished(authored)
        assert before.items() <= left.items() <= whole.items(), (death, left.keys())
        if left != whole:
            authored.ok(*COMMANDS[command])
        assert finished(authored) == whole
        return code < 0

    changes = takewhile(is_killed_by, (partial(die_at_change, authored.folder, number) for number in count(1)))
    assert len(list(changes)) >= 2
    assert is_killed_by(partial(die_after_bytes, 0))
    assert is_killed_by(partial(die_after_bytes, 10))


def finished(project: AlembicProject) -> dict[str, bytes]:
    """The files of the project without those that say of themselves that they are unfinished."""
    return {name: content for name, content in project.files().items() if not name.endswith(UNFINISHED)}
