"""alembic_utils and alembic-postgresql-enum register themselves with Alembic, and we work beside them."""

from __future__ import annotations

import pytest

from tests.fixtures.project import CREATE_USERS

IMPORTS = """
import alembic_postgresql_enum
from alembic_utils.pg_view import PGView
from alembic_utils.replaceable_entity import register_entities

register_entities([PGView("public", "people", "SELECT id, name FROM users")])
"""

THEIR_OPERATIONS = """
from alembic_postgresql_enum import TableReference
from alembic_utils.pg_view import PGView

people = PGView("public", "people", "SELECT id, name FROM users")


def upgrade():
    op.create_entity(people)
    sa.Enum("open", "closed", name="state").create(op.get_bind())
    op.add_column("users", sa.Column("state", sa.Enum("open", "closed", name="state", create_type=False)))
    op.sync_enum_values(
        enum_schema="public",
        enum_name="state",
        new_values=["open", "closed", "barred"],
        affected_columns=[TableReference(table_schema="public", table_name="users", column_name="state")],
    )


def downgrade():
    op.drop_column("users", "state")
    op.execute("DROP TYPE state")
    op.drop_entity(people)
"""


@pytest.fixture
def beside(project):
    env = project.folder / "migrations" / "env.py"
    env.write_text(env.read_text().replace("from alembic import context\n", "from alembic import context\n" + IMPORTS))
    project.revision("0001", CREATE_USERS, title="create users")
    project.revision("0002", THEIR_OPERATIONS, after="0001", title="their operations")
    return project


def test_their_operations_run_are_planned_and_undone(beside):
    assert beside.json("migrate", "expand", "0001")["steps"] == ["expand 0001"]
    before = beside.columns("users")

    assert beside.json("plan")["steps"][0]["step"] == "expand 0002"
    assert beside.json("migrate", "expand")["steps"] == ["expand 0002"]

    assert beside.value("SELECT enum_range(NULL::state)::text") == "{open,closed,barred}"
    assert beside.value("SELECT count(*) FROM people") == 0
    beside.ok("undo", "0002")
    assert beside.columns("users") == before


def test_what_they_do_with_a_connection_is_told_to_be_unknown(beside):
    linted = beside.ec("lint", "--exit-zero")

    assert linted.code == 0
    assert "not-analysed" in linted.stdout
