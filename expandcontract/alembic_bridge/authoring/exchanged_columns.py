"""Columns that are computed from others, which go: what a split, a merge and a computed new column have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation
from sqlalchemy.types import TypeEngine

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.draft import Draft, Drafted, Part
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.replaced_column import refuse_unfollowed
from expandcontract.alembic_bridge.operations import CreateSyncOp, DropSyncOp
from expandcontract.domain.change import Backfill, Sync


@dataclass(frozen=True)
class Comer:
    """A new column: its name and type, how it is computed from the old ones, and whether it ends NOT NULL."""

    name: str
    type: TypeEngine[Any]
    forward: str
    required: bool = False


@dataclass(frozen=True)
class Exchange:
    """
    Which columns come, and which go.

    Args:
        table: their table.
        comes: the new columns.
        backward: each old column that goes, computed from the new ones.
        reads: the old columns that are only read, and stay.
    """

    table: sa.Table
    comes: tuple[Comer, ...]
    backward: Mapping[str, str]
    reads: tuple[str, ...] = ()


def exchanging(tables: LiveTables, exchange: Exchange, message: str, says: str) -> Draft:
    """
    The draft in which the new columns come, are kept in step with the old ones, and outlive them.

    Args:
        tables: the database.
        exchange: what comes and goes.
        message: the change's title.
        says: the sentence about the expand.

    Raises:
        UsageError: an old column is one that no trigger can follow.
    """
    table, comes = exchange.table, exchange.comes
    tables.refuse_existing(table, [comer.name for comer in comes])
    refuse_unfollowed(tables, table, *(table.columns[name] for name in exchange.backward))
    sync = Sync(
        table.name,
        forward={comer.name: comer.forward for comer in comes},
        backward=exchange.backward,
        reads=exchange.reads,
        not_null=all(comer.required for comer in comes),
        schema=table.schema,
    )
    required = [(comer, *steps.require(table, comer.name)) for comer in comes if comer.required]
    columns: dict[str, sa.Column[Any]] = {comer.name: sa.Column(comer.name, comer.type) for comer in comes}
    added: list[MigrateOperation] = [
        *(steps.add_column(table, column) for column in columns.values()),
        CreateSyncOp(sync),
        *(operation for _, _, operation in required),
    ]
    finished: list[MigrateOperation] = []
    for comer, name, _ in required:
        finished += steps.set_not_null(table, columns[comer.name], name)
    names, gone = ", ".join(columns), ", ".join(exchange.backward)
    removed = [DropSyncOp(sync), *(steps.drop_column(table, name) for name in exchange.backward)]
    return Draft(
        message,
        expand=Drafted(says, (Part("add_columns", tuple(added)),)),
        downgrade=Drafted(
            f"Takes {names} away; nothing that old code knows has changed.",
            (Part("undo", (DropSyncOp(sync), *(steps.drop_column(table, name) for name in columns))),),
        ),
        syncs=(sync,),
        backfill=Backfill(sync),
        backfill_says=f"Rows that nobody has written since get their {names}.",
        contract=Drafted(
            f"Nobody reads {gone} any more; what is left is as the models have it."
            if gone
            else f"Only code that writes {names} is left, so nothing is computed any more.",
            (
                *steps.validate(table, *(name for _, name, _ in required)),
                Part("finish", (*finished, *removed), "The triggers go first, all in one transaction."),
            ),
        ),
    )
