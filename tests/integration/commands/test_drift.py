"""The tree, Alembic's version table and the ledger can't all be right: nothing is forgotten, nothing runs."""

import pytest

from tests.fixtures.project import CREATE_USERS

ADD_TABLE = """
def upgrade():
    op.create_table("notes", sa.Column("id", sa.BigInteger, primary_key=True))

def downgrade():
    op.drop_table("notes")
"""
DROP_NAME = """
contract_after = "1ms"

def upgrade():
    op.alter_column("users", "name", nullable=True)

def downgrade():
    op.alter_column("users", "name", nullable=False)

def contract():
    op.drop_column("users", "name")
"""


@pytest.fixture
def contracted(project):
    """Release 1 on blue lacks 0002, whose contract has dropped users.name; release 2 on green is live."""
    project.revision("0001", CREATE_USERS, title="create users")
    project.ok("migrate", "expand")
    project.ok("colour", "deploy", "blue", "1")
    project.ok("colour", "traffic", "blue=100")
    project.revision("0002", DROP_NAME, after="0001", title="drop users.name")
    project.ok("migrate", "expand")
    project.ok("colour", "deploy", "green", "2")
    project.ok("colour", "traffic", "green=100")
    project.ok("migrate", "contract", "0002")
    assert project.ec("colour", "check", "blue").code == 3
    return project


def test_a_contract_is_not_forgotten_when_plain_alembic_downgrades_past_it(contracted):
    contracted.execute("ALTER TABLE users ADD name text", "DELETE FROM alembic_version")
    contracted.execute("INSERT INTO alembic_version VALUES ('0001')")

    refused = contracted.ec("migrate", "expand", "--json")

    assert refused.code == 3
    assert refused.refusal_codes == {"drift"}
    assert [no["step"] for no in refused.json["refusals"]] == ["contract 0002"]
    assert contracted.steps()["contract 0002"] == "done"
    assert contracted.ec("colour", "check", "blue").code == 3


def test_a_tree_in_another_order_than_the_applied_one_runs_nothing(project):
    project.revision("0001", CREATE_USERS, title="create users")
    project.revision("0002", DROP_NAME, after="0001", title="drop users.name")
    project.revision("0003", ADD_TABLE, after="0002", title="add notes")
    project.ok("migrate", "expand")
    before = project.snapshot()
    for file in project.versions.glob("*.py"):
        file.unlink()
    project.revision("0001", CREATE_USERS, title="create users")
    project.revision("0003", ADD_TABLE, after="0001", title="add notes")
    project.revision("0002", DROP_NAME, after="0003", title="drop users.name")

    refused = project.ec("migrate", "expand")

    assert refused.code == 3
    assert "refused: expand 0002 (drop users.name)\nbecause: it was applied before 0003" in refused.stderr
    assert project.snapshot() == before


def test_a_change_put_below_an_applied_one_is_named_and_not_taken_for_applied(project):
    project.revision("0001", CREATE_USERS, title="create users")
    project.revision("0003", ADD_TABLE, after="0001", title="add notes")
    project.ok("migrate", "expand")
    project.revision("0002", DROP_NAME, after="0001", title="drop users.name")
    project.revision("0003", ADD_TABLE, after="0002", title="add notes")

    refused = project.ec("migrate", "expand", "--json")

    assert refused.code == 3
    assert refused.refusal_codes == {"out-of-order"}
    assert "expand 0002" not in project.steps()
