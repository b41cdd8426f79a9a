"""Every kind of difference that Alembic reports, and the rule that places it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alembic.operations import MigrateOperation, ops

from expandcontract.alembic_bridge.authoring.autogenerate import alterations, columns, constraints, tables
from expandcontract.alembic_bridge.authoring.autogenerate.placement import Move, Placement, Wave
from expandcontract.alembic_bridge.authoring.autogenerate.surroundings import Surroundings, key_of
from expandcontract.alembic_bridge.authoring.draft import Part, undecided


def placements(around: Surroundings) -> list[Placement]:
    """The place of each difference; what has none for certain goes to the expand, with a remark that lint reports."""
    differences = list(_paired(around.differences))
    return [placed for difference in differences for placed in _placed(difference, around)] + tables.types_gone(around)


Difference = MigrateOperation | tuple[MigrateOperation, MigrateOperation]


def _placed(difference: Difference, around: Surroundings) -> list[Placement]:
    match difference:
        case ops.CreateTableOp():
            return [tables.created(difference, around)]
        case ops.DropTableOp():
            return [tables.dropped(difference, around)]
        case ops.CreateTableCommentOp() | ops.DropTableCommentOp():
            return [tables.commented(difference, around)]
        case ops.AddColumnOp():
            return [columns.added(difference, around)]
        case ops.DropColumnOp():
            return [columns.dropped(difference, around)]
        case ops.AlterColumnOp():
            return alterations.altered(difference, around)
        case ops.CreateIndexOp():
            return [constraints.index_added(difference, around)]
        case ops.DropIndexOp():
            return [constraints.index_dropped(difference, around)]
        case ops.CreateForeignKeyOp() | ops.CreateUniqueConstraintOp() | ops.CreateCheckConstraintOp():
            return [constraints.constraint_added(difference, around)]
        case ops.DropConstraintOp():
            return [constraints.constraint_dropped(difference, around)]
        case (ops.DropIndexOp() as old, ops.CreateIndexOp() as new):
            return [constraints.index_changed(old, new, around)]
        case (ops.DropConstraintOp() as old, ops.AddConstraintOp() as new):
            return [constraints.constraint_changed(old, new, around)]
        case MigrateOperation():
            return [_not_ours(difference)]
        case _:
            raise AssertionError(difference)


def _not_ours(operation: MigrateOperation) -> Placement:
    """Another package's operation, of which we know nothing."""
    table = key_of(operation)
    remark = undecided(
        f"does old code notice {type(operation).__name__}? What takes something away belongs into contract()"
    )
    part = Part("change_further", (remark, operation), "What another package reports.")
    try:
        undo: tuple[MigrateOperation, ...] = (operation.reverse(),)
    except (AttributeError, NotImplementedError):
        undo = ()
    return Placement(table, expand=(Move(Wave.ADD, part, alone=True),), undo=undo, finds="what another package reports")


def _paired(differences: Sequence[MigrateOperation]) -> Iterator[Difference]:
    """What goes and comes under one name is one change."""
    coming = {identity: each for each in differences if (identity := _identity_coming(each))}
    changed = {identity for each in differences if (identity := _identity_going(each)) and identity in coming}
    for each in differences:
        going = _identity_going(each)
        if going in changed:
            yield each, coming[going]
        elif _identity_coming(each) not in changed:
            yield each


_Identity = tuple[object, ...] | None


def _identity_going(operation: MigrateOperation) -> _Identity:
    match operation:
        case ops.DropIndexOp():
            return (*key_of(operation), "index", operation.index_name)
        case ops.DropConstraintOp():
            return (*key_of(operation), "constraint", operation.constraint_name)
    return None


def _identity_coming(operation: MigrateOperation) -> _Identity:
    match operation:
        case ops.CreateIndexOp():
            return (*key_of(operation), "index", operation.index_name)
        case ops.AddConstraintOp() if operation.constraint_name:  # type: ignore[attr-defined]
            return (*key_of(operation), "constraint", operation.constraint_name)  # type: ignore[attr-defined]
    return None
