"""
What a revision file is to say, before it is text: a `Draft`.

Whoever knows a change makes one: autogenerate from a difference of models, a recipe from its arguments. The writer
(`expandcontract.alembic_bridge.authoring.writer`) makes the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

from alembic.operations import MigrateOperation, ops
from alembic.operations.ops import ModifyTableOps

from expandcontract.domain.change import Backfill, Sync

# In a Backfill's `writers`: the change itself. Its id isn't known yet; the file says ``writers=revision``.
THIS_CHANGE = "revision"


# How a remark begins that lint reports.
UNDECIDED = "ec:undecided"


class Remark(MigrateOperation):
    """A comment above the operation that follows it, without its ``#``."""

    def __init__(self, text: str) -> None:
        self.text = text


def undecided(why: str) -> Remark:
    """The remark above an operation that only a person can place; lint reports it until the line is deleted."""
    return Remark(f"{UNDECIDED}: {why}")


# what SQLAlchemy's text(), which Alembic makes of it, would take for a parameter: a part of a name or a value here
_PARAMETER = re.compile(r"(?<![:\w\\]):(?=\w)")


def sql(statement: str) -> ops.ExecuteSQLOp:
    """``op.execute("…")``, for what has no operation: VALIDATE CONSTRAINT, UNIQUE USING INDEX. Quote identifiers."""
    return ops.ExecuteSQLOp(_PARAMETER.sub(r"\\:", statement))


@dataclass(frozen=True)
class Part:
    """
    One part of a step: a function of the file, and a transaction.

    Args:
        name: the function's name; the writer makes it unique. The only part of an expand or a contract is called
            ``upgrade`` or ``contract`` whatever stands here.
        operations: what it does, in order. Several operations on one table lock it once; leave other tables to
            other parts.
        says: one sentence for the function's docstring, where the step has several parts.
        autocommit: outside a transaction, for CONCURRENTLY. Give such a part one operation: it can't be rolled back.
    """

    name: str
    operations: tuple[MigrateOperation, ...]
    says: str = ""
    autocommit: bool = False


@dataclass(frozen=True)
class Drafted:
    """
    One phase: its parts in order, and one sentence about what old and new code see while it has run.

    The sentence becomes the docstring of ``upgrade()``, ``downgrade()`` or ``contract()``, or the comment above the
    tuple of the contract's parts. Without parts, ``upgrade()`` is there and does nothing.
    """

    says: str
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Draft:
    """
    A revision file in the making.

    Args:
        message: the change's title.
        expand: what makes room for new code, so that old code doesn't notice.
        downgrade: undoes the expand. Its operations are all one function; parts that say `autocommit` stand in a
            block of their own in it.
        syncs: what `CreateSyncOp` and `DropSyncOp` in the operations, and the backfill, point at. One is called
            ``sync``, several by their tables.
        backfill: what moves the rows; `THIS_CHANGE` as its `writers` means this change.
        backfill_says: the sentence about it.
        contract: what takes the old shape away; None where the change has no such phase.
        contract_after: the change's own rollback window, ``"14d"``; None for the project's.
    """

    message: str
    expand: Drafted
    downgrade: Drafted
    syncs: tuple[Sync, ...] = ()
    backfill: Backfill | None = None
    backfill_says: str = ""
    contract: Drafted | None = None
    contract_after: str | None = None

    @property
    def sync_names(self) -> dict[str, Sync]:
        """Each Sync by the name that the file gives it."""
        if len(self.syncs) == 1:
            return {"sync": self.syncs[0]}
        return dict(zip(distinct(f"sync_{sync.table}" for sync in self.syncs), self.syncs, strict=True))


def distinct(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """These names as Python identifiers, in order, each once: one that is taken gets a number."""
    used, found = set(taken), []
    for name in names:
        stem = "".join(letter if letter.isidentifier() or letter.isdigit() else "_" for letter in name).lower()
        stem = stem if stem.isidentifier() else f"_{stem}"
        free = next(each for number in count(1) if (each := stem if number == 1 else f"{stem}_{number}") not in used)
        used.add(free)
        found.append(free)
    return found


def flattened(operations: Iterable[MigrateOperation]) -> list[MigrateOperation]:
    """The operations themselves, out of the tables that Alembic groups them by."""
    found: list[MigrateOperation] = []
    for operation in operations:
        found += flattened(operation.ops) if isinstance(operation, ModifyTableOps) else [operation]
    return found
