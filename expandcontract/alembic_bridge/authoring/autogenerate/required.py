"""NOT NULL for a column that has rows: what it takes, without a scan under a lock."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.autogenerate.placement import Move, Wave
from expandcontract.alembic_bridge.authoring.autogenerate.surroundings import Key, bare, shown
from expandcontract.alembic_bridge.authoring.draft import Part


def required(table: Key, column: sa.Column[Any]) -> tuple[Move, ...]:
    """The parts that make the column NOT NULL: a check for new rows, its validation, and NOT NULL on its proof."""
    name, check = steps.require(bare(table), column.name)
    (validating,) = steps.validate(bare(table), name)
    holding = Part(f"hold_{table[1]}", (check,), f"From now on every write gives {shown(table, column.name)} a value.")
    last = tuple(steps.set_not_null(bare(table), column, name))
    says = "NOT NULL costs no scan now: the valid check proves it."
    return (
        Move(Wave.HOLD, holding),
        Move(Wave.VALIDATE, validating, alone=True),
        Move(Wave.REQUIRE, Part(f"require_{table[1]}", last, says)),
    )
