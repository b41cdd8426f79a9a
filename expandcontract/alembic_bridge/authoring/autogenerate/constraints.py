"""Indexes and constraints that come, go, or change under their name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import MigrateOperation, ops

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.autogenerate.placement import Move, Placement, Wave
from expandcontract.alembic_bridge.authoring.autogenerate.surroundings import Key, Surroundings, bare, key_of, shown
from expandcontract.alembic_bridge.authoring.draft import Part, sql

_KINDS = {"foreignkey": "foreign key", "unique": "unique constraint", "check": "check", "primary": "primary key"}


def index_added(operation: ops.CreateIndexOp, around: Surroundings) -> Placement:
    """An index is built beside the traffic; one that is unique holds old code to it, so it waits for the contract."""
    table, name = key_of(operation), str(operation.index_name)
    if around.is_new_table(table):
        part = Part(f"create_{table[1]}", (operation,), f"The table {shown(table)} comes; nobody uses it yet.")
        return Placement(table, expand=(Move(Wave.ADD, part),))
    building = Move(Wave.BUILD, steps.build_index(operation), alone=True)
    if operation.unique and not _nobody_writes_yet(table, _columns_of(operation.to_index()), around):
        return Placement(table, contract=(building,), ends=f"{name} forbids duplicates")
    undo = steps.drop_index(bare(table), name).operations[0]
    undo.kw.pop("postgresql_concurrently", None)  # type: ignore[attr-defined]  # with the rest, in one transaction
    goes_with_column = any(around.new_column(table, column) is not None for column in _columns_of(operation.to_index()))
    return Placement(table, expand=(building,), undo=() if goes_with_column else (undo,), finds=f"the index {name}")


def index_dropped(operation: ops.DropIndexOp, around: Surroundings) -> Placement:
    """An index serves old code's queries until the end; one on a column that goes, goes with it."""
    table, name = key_of(operation), str(operation.index_name)
    if any(around.is_gone_column(table, column) for column in _columns_of(operation.to_index())):
        return Placement(table)
    dropping = Move(Wave.RELEASE, steps.drop_index(bare(table), name), alone=True)
    return Placement(table, contract=(dropping,), ends=f"the index {name} goes")


def index_changed(dropped: ops.DropIndexOp, created: ops.CreateIndexOp, around: Surroundings) -> Placement:
    """The new index is built under another name, and has that of the old one when nobody needs the old one."""
    table, name = key_of(created), str(created.index_name)
    meanwhile = steps.object_name(name, "new")
    created.index_name = meanwhile
    placed = index_added(created, around)
    relation = steps.in_schema(meanwhile, table[0])
    renaming = Part(
        f"rename_{meanwhile}", (sql(f"ALTER INDEX {relation} RENAME TO {steps.quoted(name)}"),), f"It is {name} now."
    )
    dropping = Move(Wave.RELEASE, steps.drop_index(bare(table), name), alone=True)
    return Placement(
        table,
        expand=placed.expand,
        undo=placed.undo,
        contract=(*placed.contract, dropping, Move(Wave.REMOVE, renaming, alone=True)),
        finds=placed.finds,
        ends=f"the old index {name} goes",
    )


def constraint_added(operation: ops.AddConstraintOp, around: Surroundings) -> Placement:
    """
    A foreign key holds new rows first and then the old ones, both in the expand.

    What is unique, or must satisfy a check, holds old code to what only new code promises: it comes with the contract,
    unless old code doesn't write the columns.
    """
    constraint = operation.to_constraint()
    match constraint:
        case sa.ForeignKeyConstraint():
            return _foreign_key_added(constraint, around)
        case sa.UniqueConstraint():
            return _unique_added(constraint, around)
        case sa.CheckConstraint():
            return _check_added(constraint)
        case _:
            raise NotImplementedError


def constraint_dropped(operation: ops.DropConstraintOp, around: Surroundings) -> Placement:
    """What a constraint guarantees to old code, it guarantees until the end; new code keeps to it as long."""
    table, name, kind = key_of(operation), str(operation.constraint_name), operation.constraint_type or ""
    constraint = operation.to_constraint() if operation._reverse is not None else None
    columns = [] if constraint is None else [column.name for column in getattr(constraint, "columns", ())]
    if any(around.is_gone_column(table, column) for column in columns):
        return Placement(table)
    dropping = steps.drop_constraint(bare(table), name, kind)
    says = "What it guaranteed to old code, nobody counts on any more."
    part = Part(f"release_{name}", (dropping,), says)
    return Placement(
        table,
        contract=(Move(Wave.RELEASE, part, alone=True),),
        ends=f"the {_KINDS.get(kind, 'constraint')} {name} goes, which new code keeps to until then",
    )


def constraint_changed(dropped: ops.DropConstraintOp, added: ops.AddConstraintOp, around: Surroundings) -> Placement:
    """The new constraint comes with the contract beside the old one, which then goes, and leaves it its name."""
    table, name = key_of(dropped), str(dropped.constraint_name)
    constraint = added.to_constraint()
    constraint.name = meanwhile = steps.object_name(name, "new")
    placed = constraint_added(ops.AddConstraintOp.from_constraint(constraint), around)
    renaming = sql(
        f"ALTER TABLE {steps.relation(bare(table))} RENAME CONSTRAINT {steps.quoted(meanwhile)} TO {steps.quoted(name)}"
    )
    exchanging = Part(
        f"exchange_{name}",
        (steps.drop_constraint(bare(table), name, dropped.constraint_type or ""), renaming),
        "The old one goes, and the new one has its name.",
    )
    return Placement(
        table,
        contract=(*placed.expand, *placed.contract, Move(Wave.REMOVE, exchanging, alone=True)),
        ends=f"{name} is what the models say",
    )


def _foreign_key_added(key: sa.ForeignKeyConstraint, around: Surroundings) -> Placement:
    table: Key = (key.table.schema, key.table.name)
    name = str(key.name or steps.object_name(table[1], *key.column_keys, "fkey"))
    adding = ops.AddConstraintOp.from_constraint(key)
    adding.constraint_name = name  # type: ignore[attr-defined]
    adding.kw["postgresql_not_valid"] = True  # type: ignore[attr-defined]
    (validating,) = steps.validate(bare(table), name)
    holding = Part(f"hold_{name}", (adding,), "From now on every row that is written refers to one that exists.")
    return Placement(
        table,
        expand=(Move(Wave.HOLD, holding, alone=True), Move(Wave.VALIDATE, validating, alone=True)),
        undo=(steps.drop_constraint(bare(table), name, "foreignkey"),),
        finds=f"the foreign key {name}",
    )


def _unique_added(constraint: sa.UniqueConstraint, around: Surroundings) -> Placement:
    table: Key = (constraint.table.schema, constraint.table.name)
    columns = [column.name for column in constraint.columns]
    name = str(constraint.name or steps.object_name(table[1], *columns, "key"))
    options = {key: value for key, value in constraint.dialect_kwargs.items() if value}
    building = steps.build(bare(table), name, columns, unique=True, **options)
    adopting = Part(
        f"adopt_{name}",
        (_with_timing(steps.use_index(bare(table), name, "UNIQUE"), constraint),),
        "The index is the constraint's.",
    )
    moves = (Move(Wave.BUILD, building, alone=True), Move(Wave.HOLD, adopting, alone=True))
    if not _nobody_writes_yet(table, columns, around):
        return Placement(table, contract=moves, ends=f"{name} forbids duplicates")
    return Placement(table, expand=moves, finds=f"the unique constraint {name}")


def _with_timing(operation: MigrateOperation, constraint: sa.UniqueConstraint) -> MigrateOperation:
    """DEFERRABLE and INITIALLY, which the index doesn't have."""
    if not constraint.deferrable:
        return operation
    timing = f" DEFERRABLE INITIALLY {constraint.initially}" if constraint.initially else " DEFERRABLE"
    return sql(f"{operation.sqltext}{timing}")  # type: ignore[attr-defined]


def _check_added(constraint: sa.CheckConstraint) -> Placement:
    table: Key = (constraint.table.schema, constraint.table.name)
    name = str(constraint.name)
    adding = ops.AddConstraintOp.from_constraint(constraint)
    adding.kw["postgresql_not_valid"] = True  # type: ignore[attr-defined]
    (validating,) = steps.validate(bare(table), name)
    holding = Part(f"hold_{name}", (adding,), "From now on every row that is written satisfies it.")
    return Placement(
        table,
        contract=(Move(Wave.HOLD, holding, alone=True), Move(Wave.VALIDATE, validating, alone=True)),
        ends=f"{name} must hold",
    )


def _nobody_writes_yet(table: Key, columns: list[str], around: Surroundings) -> bool:
    """Whether old code leaves NULL in one of the columns, which is a duplicate of nothing."""
    new = [around.new_column(table, column) for column in columns]
    return any(column is not None and column.nullable and column.server_default is None for column in new)


def _columns_of(index: sa.Index) -> list[str]:
    """The plain columns of an index, those in its expressions left out."""
    return [each.name for each in index.expressions if isinstance(each, sa.Column)]
