"""A project with a history of ordinary revisions takes ``ec`` up with one command; its next change has phases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.lifecycle import ENV, MODELS
from tests.fixtures.project import AlembicProject
from tests.fixtures.well_written import assert_well_written

OF_BEFORE = 50
TABLES = 10


def history() -> list[str]:
    """Bodies of revisions as `alembic revision --autogenerate` writes them: tables, then columns, indexes, keys."""
    changes = [
        (
            f'op.create_table("t{table}", sa.Column("id", sa.BigInteger(), nullable=False),'
            f' sa.Column("kept", sa.Text(), nullable=True), sa.PrimaryKeyConstraint("id"))',
            f'op.drop_table("t{table}")',
        )
        for table in range(TABLES)
    ]
    for number in range(OF_BEFORE - TABLES):
        table, column = f"t{number % TABLES}", f"c{number // TABLES}"
        changes.append(
            (
                f'op.add_column("{table}", sa.Column("{column}", sa.Text(), server_default="", nullable=False))'
                f'\n    op.create_index("ix_{table}_{column}", "{table}", ["{column}"])',
                f'op.drop_index("ix_{table}_{column}")\n    op.drop_column("{table}", "{column}")',
            )
        )
    return [f"def upgrade():\n    {up}\n\n\ndef downgrade():\n    {down}\n" for up, down in changes]


def models(*, changed: bool) -> str:
    text = MODELS
    for table in range(TABLES):
        columns = ['sa.Column("id", sa.BigInteger, primary_key=True)', 'sa.Column("kept", sa.Text)']
        for number in range((OF_BEFORE - TABLES) // TABLES):
            if not (changed and table == 3 and number == 1):
                default = 'server_default="", nullable=False'
                columns.append(f'sa.Column("c{number}", sa.Text, {default}, index=True)')
        if changed and table == 3:
            columns.append('sa.Column("owner_id", sa.BigInteger, sa.ForeignKey("t4.id"), index=True)')
            columns.append('sa.Column("state", sa.Text, nullable=False, default="new")')
        text += f'sa.Table("t{table}", metadata, {", ".join(columns)})\n'
    return text


@pytest.fixture
def grown(project: AlembicProject) -> AlembicProject:
    """Fifty ordinary revisions, applied by plain alembic."""
    project.write("migrations/env.py", ENV)
    project.write("models.py", models(changed=False))
    for number, body in enumerate(history(), 1):
        after = f"{number - 1:04}" if number > 1 else None
        project.revision(f"{number:04}", body, after=after, title=f"change {number}")
    assert project.alembic("upgrade", "head").code == 0
    assert project.alembic("check").code == 0
    return project


def test_the_next_autogenerate_has_phases_and_lints_clean(grown: AlembicProject, tmp_path: Path) -> None:
    grown.ok("init")
    assert set(grown.steps().values()) == {"done"}
    assert len(grown.steps()) == OF_BEFORE

    grown.write("models.py", models(changed=True))
    (written,) = grown.json("revision", "--autogenerate", "-m", "owners and states")["files"]

    lint = grown.json("lint", "--since-revision", f"{OF_BEFORE:04}")
    reported = [finding for finding in lint["findings"] if finding["severity"] != "note"]
    assert not reported
    assert "\nexpand = (" in written["text"]
    assert "\ncontract = (" in written["text"]
    assert_well_written(written["text"], tmp_path)
    grown.ok("migrate", "expand")
    assert grown.alembic("check").code == 0
