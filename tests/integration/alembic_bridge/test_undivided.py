"""A part is one transaction: a revision that ends it by itself is refused before anything is done."""

from __future__ import annotations

import pytest

from tests.fixtures.project import CREATE_USERS, AlembicProject, ProjectMaker
from tests.fixtures.servers import Database

ENDS = [
    "op.get_bind().commit()",
    "op.get_bind().rollback()",
    'op.execute("COMMIT")',
    'op.execute("SELECT 1; ROLLBACK; SELECT 2")',
    'op.get_bind().exec_driver_sql("/* now */ end")',
]
STAYS = [
    "op.execute(\"SELECT CASE WHEN true THEN 'commit' END\")",
    "op.get_bind().begin_nested().rollback()",
    'op.execute("SAVEPOINT a; ROLLBACK TO a")',
]


def body(line: str) -> str:
    return (
        f'def upgrade():\n    op.add_column("users", sa.Column("a", sa.Text))\n    {line}\n'
        f'    op.add_column("users", sa.Column("b", sa.Text))\n\n\n'
        f'def downgrade():\n    op.drop_column("users", "b")\n    {line}\n    op.drop_column("users", "a")\n'
    )


def with_users(project: AlembicProject, line: str) -> None:
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    project.revision("0002", body(line), after="0001")


def place(project: AlembicProject, line: str) -> str:
    text = (project.versions / "0002.py").read_text().splitlines()
    return f"0002.py:{next(number for number, each in enumerate(text, 1) if line in each)}"


@pytest.mark.parametrize("line", ENDS)
def test_a_part_that_ends_its_transaction_is_refused_with_its_line_and_changes_nothing(
    project: AlembicProject, line: str
) -> None:
    with_users(project, line)
    before = project.snapshot()

    refused = project.ec("migrate", "expand")

    assert refused.code == 2
    assert f"{place(project, line)}: a part may not end its transaction" in refused.stderr
    assert project.snapshot() == before


@pytest.mark.parametrize("kind", ["begin", "asyncpg"])
def test_through_whatever_engine(kind: str, database: Database, make_project: ProjectMaker) -> None:
    project = make_project(database, kind)
    with_users(project, ENDS[0])

    assert project.ec("migrate", "expand").code == 2
    assert project.columns("users") == ["id", "name"]


@pytest.mark.parametrize("line", STAYS)
def test_what_only_looks_like_it_runs(project: AlembicProject, line: str) -> None:
    with_users(project, line)

    project.ok("migrate", "expand")
    assert project.columns("users") == ["a", "b", "id", "name"]
    project.ok("undo", "0002")
    assert project.columns("users") == ["id", "name"]


def test_an_undo_that_ends_its_transaction_is_refused_as_well(project: AlembicProject) -> None:
    project.revision("0001", CREATE_USERS)
    project.revision("0002", body(ENDS[0]).replace(ENDS[0], "pass", 1), after="0001")
    project.ok("migrate", "expand")

    refused = project.ec("undo", "0002")

    assert refused.code == 2
    assert "a part may not end its transaction" in refused.stderr
    assert project.columns("users") == ["a", "b", "id", "name"]


def test_one_that_goes_past_sqlalchemy_is_found_out(project: AlembicProject) -> None:
    with_users(project, "op.get_bind().connection.driver_connection.commit()")

    failed = project.ec("migrate", "expand")

    assert failed.code == 7
    assert "it ended its transaction: what it did before that stays" in failed.stderr
    assert project.columns("users") == ["a", "id", "name"]
    (status,) = [one for one in project.json("status")["steps"] if one["step"] == "expand 0002"]
    assert "it ended its transaction" in status["error"]
