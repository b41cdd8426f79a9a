"""What tables, columns, constraints and indexes touch when they are made and changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from expandcontract.domain.footprint import EVERYTHING, Touched
from expandcontract.lint.expression import Expression
from expandcontract.lint.footprint.mentions import (
    calls_in,
    columns_of,
    names_in,
    object_named,
    reads_in,
    relations_in_text,
)
from expandcontract.lint.footprint.trace import Trace, changing, defining
from expandcontract.lint.statement import (
    AddColumn,
    AddConstraint,
    AlterColumn,
    AlterConstraint,
    AlterRelation,
    AttachPartition,
    ChangeType,
    Column,
    Constraint,
    ConstraintKind,
    CreateIndex,
    CreateTable,
    DetachPartition,
    DropColumn,
    DropConstraint,
    Statement,
    TableChange,
    ValidateConstraint,
)

_INDEX_BACKED = frozenset((ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY, ConstraintKind.EXCLUDE))


def create_table(action: CreateTable, statement: Statement) -> Iterator[Trace]:
    """CREATE TABLE: the table, and each of its parts for itself."""
    above = [action.parent, *action.inherits, *action.like, action.of_type]
    yield defining([object_named(action.table)], [object_named(each) for each in above if each])
    for column in action.columns:
        yield from _column(action.table, column)
    for constraint in action.constraints:
        yield _constraint(action.table, constraint)
    if action.partition_key:
        yield Trace(uses=frozenset(names_in(statement.tree)), calls=frozenset(calls_in(statement.tree)))


def add_column(action: AddColumn, _: Statement) -> Iterator[Trace]:
    """ADD COLUMN with what is written on it."""
    yield from _column(action.table, action.column)
    for constraint in action.column.constraints:
        yield _constraint(action.table, constraint)


def drop_column(action: DropColumn, _: Statement) -> Iterator[Trace]:
    """DROP COLUMN; what stands on it and isn't named goes with it only by CASCADE."""
    yield changing(object_named(action.table, action.column), takes_along=action.cascade)


def change_type(action: ChangeType, statement: Statement) -> Iterator[Trace]:
    """ALTER COLUMN … TYPE."""
    yield _changed_column(action.table, action.column, action.using, [object_named(action.type.name)])


def alter_column(action: AlterColumn, _: Statement) -> Iterator[Trace]:
    """The lesser ALTER COLUMN forms."""
    yield _changed_column(action.table, action.column, action.expression)


def _changed_column(table: str, column: str, expression: Expression | None, uses: Iterable[Touched] = ()) -> Trace:
    node = expression.node if expression else None
    read = reads_in(node, table) | names_in(node)
    return defining([object_named(table, column)], {*uses, *read}, calls_in(node))


def _column(table: str, column: Column) -> Iterator[Trace]:
    """A column uses its type, and whatever its default or its expression names."""
    own = object_named(table, column.name)
    made = {own}
    if column.type.serial or column.identity:
        made.add(_beside(table, f"{object_named(table).name}_{object_named(column.name).name}_seq"))
    parts = [part.node for part in (column.default, column.generation) if part]
    made |= relations_in_text(parts)  # a sequence, which may belong to the column
    uses = {own, *([object_named(column.type.name)] if column.type.name else ())}
    uses |= names_in(parts) | (reads_in(column.generation.node, table) if column.generation else set())
    yield defining(made, uses, calls_in(parts))


def add_constraint(action: AddConstraint, _: Statement) -> Iterator[Trace]:
    """ADD CONSTRAINT; one without a name gets one that nobody can foresee."""
    trace = _constraint(action.table, action.constraint)
    yield trace
    if action.constraint.name is None:
        yield changing(object_named(action.table))


def _constraint(table: str, constraint: Constraint) -> Trace:
    """A constraint changes what may be written into its columns, and uses those that it refers to."""
    columns = columns_of(table, constraint.columns)
    made = set(columns)
    if constraint.name:
        made.add(object_named(table, constraint.name))
        if constraint.kind in _INDEX_BACKED:
            made.add(_beside(table, str(object_named(constraint.name).name)))
    if constraint.using_index:
        made.add(_beside(table, str(object_named(constraint.using_index).name)))
    uses = set(columns)
    if constraint.references:
        referenced = columns_of(constraint.references, constraint.referenced_columns)
        uses |= referenced or {object_named(constraint.references)}
    node = constraint.expression.node if constraint.expression else None
    uses |= names_in(node) | (reads_in(node, table) if node else set())
    return defining(made, uses, calls_in(node))


def known_constraint(action: ValidateConstraint | AlterConstraint, _: Statement) -> Iterator[Trace]:
    """VALIDATE and ALTER CONSTRAINT."""
    constraint = object_named(action.table, action.name)
    yield Trace(frozenset([constraint]), sought=frozenset([constraint]))


def drop_constraint(action: DropConstraint, _: Statement) -> Iterator[Trace]:
    """DROP CONSTRAINT, and the index that it may have."""
    constraint = object_named(action.table, action.name)
    index = _beside(action.table, str(constraint.member))
    yield Trace(frozenset([constraint, index]), takes_along=action.cascade, sought=frozenset([constraint]))


def partition(action: AttachPartition | DetachPartition, _: Statement) -> Iterator[Trace]:
    """ATTACH and DETACH PARTITION change both."""
    both = [object_named(action.table), object_named(action.partition)]
    yield defining(both, both)


def alter_relation(action: AlterRelation, _: Statement) -> Iterator[Trace]:
    """ALTER TABLE, INDEX or VIEW with a change of the relation as a whole."""
    if action.table.startswith("all in tablespace "):
        yield changing(EVERYTHING)
        return
    relation = object_named(action.table)
    others = {object_named(action.argument)} if action.argument and action.change in _NAMES_ANOTHER else set()
    sought = frozenset([relation]) if action.kind == "index" else frozenset[Touched]()
    yield Trace(frozenset([relation, *others]), frozenset(others), sought=sought, stays=bool(others))


_NAMES_ANOTHER = frozenset((TableChange.INHERIT, TableChange.NO_INHERIT, TableChange.ATTACH_INDEX))


def create_index(action: CreateIndex, statement: Statement) -> Iterator[Trace]:
    """CREATE INDEX changes nothing of its table, unless it is unique; without a name nobody can foresee its own."""
    columns = columns_of(action.table, [each for each in (*action.columns, *action.included) if each])
    uses = columns | columns_of(action.table, action.read) | names_in(statement.tree)
    name = _beside(action.table, str(object_named(action.name).name)) if action.name else object_named(action.table)
    made = {name, *(columns if action.unique else ())}
    yield defining(made, uses | ({object_named(action.table)} if not uses else set()), calls_in(statement.tree))


def _beside(table: str, name: str) -> Touched:
    """What lives in the schema of a table."""
    return Touched(name, None, object_named(table).schema)
