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
        ("op.get_bind().scalar(sa.text('SELECT 1')) + 1", "it reads what a statement answers"),
        ("for row in op.get_bind().execute(sa.text('SELECT 1')): pass", "it reads what a statement answers"),
        ("if op.get_bind().exec_driver_sql('SELECT 1').one(): pass", "it reads what a statement answers"),
        ("sa.inspect(op.get_bind()).get_table_names()", "it inspects the database"),
        ("if not op.get_context().as_sql: pass", "it asks for a database, or what is in it"),
        ('raise RuntimeError("not offline")', "RuntimeError: not offline"),
    ],
)
def test_what_needs_a_connection_is_told_with_its_line(tmp_path: Path, line: str, reason: str) -> None:
    body = f'def upgrade():\n    op.execute("SELECT 1")\n    {line}\n\ndef downgrade(): pass\n'
    (part,) = phases_of(tmp_path, body)["upgrade"].parts

    assert {each.sql for segment in part.segments for each in segment.statements} == {"SELECT 1;"}
    assert part.unrendered is not None
    assert part.unrendered.reason.startswith(reason)
    assert part.unrendered.line == 8


def test_whoever_goes_on_without_an_answer_may_do_something_else_in_a_database(tmp_path: Path) -> None:
    body = """
def upgrade():
    try:
        count = op.get_bind().scalar(sa.text("SELECT 1")) + 1
    except Exception:
        count = 0
    op.execute("SELECT 2")
"""
    (part,) = phases_of(tmp_path, body)["upgrade"].parts

    assert [each.sql for segment in part.segments for each in segment.statements] == ["SELECT 1;", "SELECT 2;"]
    assert part.unrendered is not None
    assert (part.unrendered.line, part.unrendered.stopped) == (9, False)


def test_what_is_only_told_to_a_connection_is_known(tmp_path: Path) -> None:
    body = """
def upgrade():
    bind = op.get_bind()
    sa.Enum("a", "b", name="kind").create(bind, checkfirst=True)
    bind.execute(sa.text("SELECT 1"))
    bind.exec_driver_sql("SELECT 2")
    bind.commit()
"""
    (part,) = phases_of(tmp_path, body)["upgrade"].parts

    assert part.unrendered is None
    created, *others = [each.sql for segment in part.segments for each in segment.statements]
    assert created.startswith("CREATE TYPE kind AS ENUM")
    assert others == ["SELECT 1;", "SELECT 2;", "COMMIT;"]


@pytest.mark.parametrize(("line", "refuses"), [("raise RuntimeError('no')", True), ("if 1: raise OSError", False)])
def test_a_downgrade_that_refuses_runs_nothing_that_is_unknown(tmp_path: Path, line: str, refuses: bool) -> None:
    (part,) = phases_of(tmp_path, f"def upgrade(): pass\n\ndef downgrade():\n    {line}\n")["downgrade"].parts

    assert (part.unrendered is None) == refuses


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
