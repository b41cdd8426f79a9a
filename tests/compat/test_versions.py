"""A change's life on whatever Alembic, SQLAlchemy and driver there are: the selection that each version runs."""

from __future__ import annotations

import pytest

from tests.fixtures.project import ADD_NOTES, CREATE_USERS, rename_name


@pytest.mark.parametrize("kind", ["sync", "psycopg-async", "asyncpg"])
def test_a_change_goes_all_the_way(make_project, database, kind):
    project = make_project(database, kind)
    project.revision("0001", CREATE_USERS, title="create users")
    project.revision("0002", rename_name("1ms"), after="0001", title="rename users.name")

    assert project.json("migrate", "expand")["steps"] == ["expand 0001", "expand 0002"]
    project.execute("INSERT INTO users (name) SELECT 'person ' || i FROM generate_series(1, 20) i")
    assert project.json("backfill")["outcome"] == "done"
    project.revision("0003", ADD_NOTES, after="0002", title="add notes")
    assert "ALTER TABLE users ADD COLUMN notes" in project.ok("migrate", "expand", "--sql").stdout
    assert project.json("migrate", "expand")["steps"] == ["expand 0003"]  # past the waiting contract
    project.ok("undo", "0003")
    (project.versions / "0003.py").unlink()
    assert project.ec("lint", "--exit-zero").code == 0
    assert project.json("migrate", "all")["steps"] == ["contract 0002"]
    assert project.columns("users") == ["display_name", "id"]
    assert "0002" in project.alembic("current").stdout


def test_plain_alembic_runs_the_same_files(make_project, database):
    project = make_project(database)
    project.revision("0001", CREATE_USERS, title="create users")
    project.revision("0002", rename_name(), after="0001", title="rename users.name")

    assert project.alembic("upgrade", "head").code == 0
    assert [step["step"] for step in project.json("plan")["steps"]] == ["backfill 0002", "contract 0002"]
    assert project.alembic("downgrade", "base").code == 0
    assert project.json("migrate", "all")["steps"] == ["expand 0001", "expand 0002", "backfill 0002", "contract 0002"]
