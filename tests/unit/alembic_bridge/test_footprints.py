from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import op

from expandcontract import Sync
from expandcontract.alembic_bridge.footprints import footprint
from expandcontract.alembic_bridge.recorder import record

SYNC = Sync("users", forward={"full": "first || last"}, reads=("first", "last"))


def add_column_with_key() -> None:
    op.add_column("orders", sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id")))


def create_table_and_fill_it() -> None:
    table = op.create_table("colours", sa.Column("name", sa.Text))
    op.bulk_insert(table, [])


def build_concurrently() -> None:
    with op.get_context().autocommit_block():
        op.create_index("i", "users", ["mail"], postgresql_concurrently=True)


@pytest.mark.parametrize(
    ("function", "touched"),
    [
        (build_concurrently, {"users"}),
        (lambda: op.add_column("users", sa.Column("mail", sa.Text)), {"users.mail"}),
        (lambda: op.add_column("users", sa.Column("mail", sa.Text), schema="app"), {"app.users.mail"}),
        (lambda: op.drop_column("users", "mail"), {"users.mail"}),
        (lambda: op.alter_column("users", "mail", nullable=False), {"users.mail"}),
        (lambda: op.alter_column("users", "mail", new_column_name="email"), {"users.mail", "users.email"}),
        (lambda: op.create_sync(SYNC), {"users.full", "users.first", "users.last"}),
        (lambda: op.drop_sync(SYNC), {"users.full", "users.first", "users.last"}),
        (lambda: op.create_table("t", sa.Column("id", sa.Integer)), {"t"}),
        (lambda: op.drop_table("t"), {"t"}),
        (lambda: op.create_index("i", "users", ["mail"]), {"users"}),
        (lambda: op.create_check_constraint("c", "users", "mail <> ''"), {"users"}),
        (lambda: op.drop_constraint("c", "users"), {"users"}),
        (lambda: op.create_foreign_key("f", "orders", "users", ["user_id"], ["id"]), {"orders", "users"}),
        (lambda: op.rename_table("a", "b"), {"a", "b"}),
    ],
)
def test_an_operation_touches_what_it_names(function: Callable[[], Any], touched: set[str]) -> None:
    found = footprint(record([function]))

    assert found.known
    assert {str(one) for one in found.touched} == touched


def read_the_database() -> None:
    op.get_bind().execute(sa.text("SELECT 1"))


@pytest.mark.parametrize(
    "function",
    [
        lambda: op.execute("UPDATE users SET mail = ''"),
        lambda: op.drop_index("i"),
        read_the_database,
        add_column_with_key,
        create_table_and_fill_it,
    ],
)
def test_what_cannot_be_read_is_unknown_and_meets_everything(function: Callable[[], Any]) -> None:
    found = footprint(record([function]))

    assert not found.known
    assert found.meeting(footprint(record([lambda: op.drop_table("other")]))) == "?"


def test_recording_runs_nothing_and_leaves_alembic_as_it_was() -> None:
    recorded = record([lambda: op.drop_table("users"), lambda: op.drop_table("orders")])

    assert [type(operation).__name__ for operation in recorded.operations] == ["DropTableOp", "DropTableOp"]
    assert recorded.complete
    with pytest.raises((NameError, AttributeError)):
        op.drop_table("users")
