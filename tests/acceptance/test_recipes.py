"""Each recipe's file, lived through with both releases writing, and taken back."""

from __future__ import annotations

import pytest

from tests.fixtures.lifecycle import ChangeInLife, LifeMaker, live, live_and_undo
from tests.fixtures.release_clients import Shape

USERS = """
users = sa.Table(
    "users", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    {columns},
)
"""

BODY = """
from expandcontract import Backfill, Sync

sync = Sync("users", forward={"display_name": "name"}, backward={"name": "display_name"}, not_null=True)


def upgrade():
    op.add_column("users", sa.Column("display_name", sa.Text))
    op.create_sync(sync)
    op.create_check_constraint("named", "users", "display_name IS NOT NULL", postgresql_not_valid=True)


def downgrade():
    op.drop_sync(sync)
    op.drop_column("users", "display_name")


backfill = Backfill(sync)


def validate():
    op.execute("ALTER TABLE users VALIDATE CONSTRAINT named")


def remove_name():
    op.alter_column("users", "display_name", nullable=False)
    op.drop_constraint("named", "users")
    op.drop_sync(sync)
    op.drop_column("users", "name")


contract = (validate, remove_name)
"""

CHANGES = {
    "rename-column": ChangeInLife(
        USERS.format(columns='sa.Column("name", sa.Text, nullable=False)'),
        USERS.format(columns='sa.Column("display_name", sa.Text, nullable=False)'),
        Shape("users", {"name": "'n' || {v}"}),
        Shape("users", {"display_name": "'n' || {v}"}),
        lambda project: project.revision("0002", BODY, after="0001"),
    )
}


@pytest.mark.parametrize("name", CHANGES)
def test_nobody_notices(begun: LifeMaker, name: str) -> None:
    with begun(CHANGES[name]) as life:
        live(life)


@pytest.mark.parametrize("name", CHANGES)
def test_nothing_is_left_after_an_undo(begun: LifeMaker, name: str) -> None:
    with begun(CHANGES[name]) as life:
        live_and_undo(life)
