"""A changed identity in Python: Alembic leaves out what was there before, without which it would make a second one."""

from __future__ import annotations

from typing import cast

import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import _render_identity, renderers
from alembic.operations import ops


class ChangedIdentity(ops.AlterColumnOp):
    """``op.alter_column(…, server_default=sa.Identity(…), existing_server_default=sa.Identity(…))``."""


@renderers.dispatch_for(ChangedIdentity)
def _render_changed_identity(context: AutogenContext, operation: ChangedIdentity) -> str:
    text: str = renderers.dispatch(ops.AlterColumnOp)(context, operation)
    before = _render_identity(cast(sa.Identity, operation.existing_server_default), context)
    return f"{text.removesuffix(')')}, existing_server_default={before})"


def changed_identity(operation: ops.AlterColumnOp, new: sa.Identity, old: sa.Identity) -> ChangedIdentity:
    """The operation that makes the column's identity `new`, where it was `old`."""
    return ChangedIdentity(
        operation.table_name,
        operation.column_name,
        schema=operation.schema,
        existing_type=operation.existing_type,
        modify_server_default=new,
        existing_server_default=old,
    )
