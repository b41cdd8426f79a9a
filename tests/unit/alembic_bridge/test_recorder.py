from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic import op

from expandcontract.alembic_bridge.recorder import record


def create_table_and_fill_it() -> None:
    table = op.create_table("colours", sa.Column("name", sa.Text))
    op.bulk_insert(table, [])


def test_recording_runs_nothing_and_leaves_alembic_as_it_was() -> None:
    recorded = record([lambda: op.drop_table("users"), create_table_and_fill_it])

    names = [type(operation).__name__ for operation in recorded.operations]
    assert names == ["DropTableOp", "CreateTableOp", "BulkInsertOp"]
    assert recorded.complete
    with pytest.raises((NameError, AttributeError)):
        op.drop_table("users")


@pytest.mark.parametrize(
    "function", [lambda: op.get_bind().execute(sa.text("SELECT 1")), lambda: op.get_context().impl.static_output("x")]
)
def test_what_goes_past_the_operations_makes_it_incomplete(function) -> None:
    assert not record([function]).complete
