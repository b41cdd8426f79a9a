"""Where one difference goes: what a rule of placement gives, before all of them become a file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from alembic.operations import MigrateOperation

from expandcontract.alembic_bridge.authoring.draft import Part


class Wave(IntEnum):
    """The order of a phase's parts; those of one wave on one table that need no transaction of their own are one."""

    PREPARE = 1  # types that the rest is made of
    ADD = 2  # tables and columns come, requirements fall
    BUILD = 3  # indexes, concurrently
    HOLD = 4  # constraints that new rows must keep
    VALIDATE = 5  # and old ones
    REQUIRE = 6  # what is proved becomes NOT NULL
    RELEASE = 7  # constraints and indexes go
    REMOVE = 8  # columns go
    CLEAR = 9  # tables go, and types


@dataclass(frozen=True)
class Move:
    """A part in its wave. `alone`: it keeps a transaction of its own, whatever else its wave does to the table."""

    wave: Wave
    part: Part
    alone: bool = False


@dataclass(frozen=True)
class Fill:
    """The value that rows without one get."""

    column: str
    expression: str


@dataclass(frozen=True)
class Placement:
    """
    Where a difference goes, and what it means to code.

    Args:
        table: schema and name of the table that it is about.
        expand: what old code doesn't notice.
        undo: takes the expand back; the last one's comes first.
        fill: a value that rows lack, for the backfill.
        contract: what only new code lives with.
        finds: what new code finds after the expand: ``users.tier``.
        may: what new code may do after the expand: ``leave out users.name``.
        ends: what the contract ends: ``users.name goes``.
    """

    table: tuple[str | None, str]
    expand: tuple[Move, ...] = ()
    undo: tuple[MigrateOperation, ...] = ()
    fill: Fill | None = None
    contract: tuple[Move, ...] = ()
    finds: str | None = None
    may: str | None = None
    ends: str | None = None
