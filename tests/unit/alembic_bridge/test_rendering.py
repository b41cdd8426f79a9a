"""The phases of a revision file as SQL, and what can't be rendered without a database."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from expandcontract.alembic_bridge.rendering import RenderedPhase, render_tree
from expandcontract.alembic_bridge.source import essence, essence_of

HEAD = "import sqlalchemy as sa\nfrom alembic import op\n\nrevision, down_revision = '1', None\n\n"


def phases_of(folder: Path, body: str) -> dict[str, RenderedPhase]:
    (folder / "versions").mkdir()
    (folder / "versions" / "one.py").write_text(HEAD + body)
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    (revision,) = render_tree(ScriptDirectory.from_config(config))
    return {phase.name: phase for phase in revision.phases}


def test_each_part_is_rendered_for_itself(tmp_path: Path) -> None:
    body = """
def validate():
    op.execute("SELECT 1")

def build():
    op.execute("SELECT 2")
    with op.get_context().autocommit_block():
        op.execute("SELECT 3")

def upgrade(): pass
def downgrade(): pass

contract = (validate, build)
"""
    first, second = phases_of(tmp_path, body)["contract"].parts

    assert [[each.sql for each in segment.statements] for segment in first.segments] == [["SELECT 1;"]]
    assert [segment.in_transaction for segment in second.segments] == [True, False]
    assert second.unrendered is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('op.get_bind().exec_driver_sql("SELECT 1")', "AttributeError: "),
        ("bind = op.get_bind()", "it asks whether there is a connection"),
        ("if not op.get_context().as_sql: pass", "it asks whether there is a connection"),
        ('raise RuntimeError("not offline")', "RuntimeError: not offline"),
    ],
)
def test_what_needs_a_connection_is_told_with_its_line(tmp_path: Path, line: str, reason: str) -> None:
    body = f'def upgrade():\n    op.execute("SELECT 1")\n    {line}\n\ndef downgrade(): pass\n'
    (part,) = phases_of(tmp_path, body)["upgrade"].parts

    assert [each.sql for segment in part.segments for each in segment.statements] == ["SELECT 1;"]
    assert part.unrendered is not None
    assert part.unrendered.reason.startswith(reason)
    assert part.unrendered.line == 8


def written(folder: Path, text: str) -> str:
    file = folder / "file.py"
    file.write_text(text)
    return essence(file)


def test_the_essence_of_a_file_is_what_it_does(tmp_path: Path) -> None:
    plain = written(tmp_path, "revision = '2'\ndown_revision = '1'\n\ndef upgrade():\n    work(1)\n")

    elsewhere = '"""A title."""\nrevision: str = "3"  # new\ndef upgrade():\n    """Works."""\n    work( 1 )\n'
    assert written(tmp_path, elsewhere) == plain
    assert written(tmp_path, "def upgrade():\n    work(2)\n") != plain
    assert essence_of(written) != essence_of(phases_of)
    assert essence_of(len) == "len"
