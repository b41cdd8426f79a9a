"""Tables and what lives on them: columns, constraints, partitions, indexes, triggers; and views."""

from __future__ import annotations

from collections.abc import Callable

from expandcontract.lint.expression import Expression, walk
from expandcontract.lint.identifier import quoted
from expandcontract.lint.known import (
    KnownColumn,
    KnownIndex,
    KnownSchema,
    KnownTable,
    KnownView,
    beside,
    default_name,
)
from expandcontract.lint.statement import (
    Action,
    AddColumn,
    AddConstraint,
    AlterColumn,
    AlterConstraint,
    AlterRelation,
    AttachPartition,
    ChangeType,
    Column,
    ColumnChange,
    Constraint,
    ConstraintKind,
    CreateIndex,
    CreateRule,
    CreateTable,
    CreateTableAs,
    CreateTrigger,
    CreateView,
    DetachPartition,
    DropColumn,
    DropConstraint,
    SetPolicy,
    TableChange,
    ValidateConstraint,
)


def _learn_column(schema: KnownSchema, table: KnownTable, column: Column) -> None:
    domain = schema.domain_of(column.type)
    table.columns[column.name] = KnownColumn(
        column.type.stored,
        not_null=column.not_null,
        has_default=column.has_default or bool(domain and domain.has_default),
        generated=column.generated,
        reads=frozenset(column.generation.columns()) if column.generation else frozenset(),
        collation=column.collation,
    )


def _learn_constraint(schema: KnownSchema, name: str, table: KnownTable, constraint: Constraint) -> None:
    label = constraint.name or default_name(name, constraint)
    table.constraints[label] = constraint
    if constraint.references:
        schema.maybe_referencing[constraint.references] = {
            **schema.maybe_referencing.get(constraint.references, {}),
            name: None,
        }
    if constraint.kind in (ConstraintKind.PRIMARY_KEY, ConstraintKind.NOT_NULL) and constraint.valid:
        promised = constraint.columns
        index = schema.indexes.get(beside(name, constraint.using_index)) if constraint.using_index else None
        if index:
            promised = tuple(column for column in index.columns if column)
        for column in promised:
            if column in table.columns:
                table.columns[column].not_null = True
    if constraint.kind in (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE, ConstraintKind.EXCLUDE):
        if constraint.using_index:
            _rename_index(schema, beside(name, constraint.using_index), beside(name, label))
        else:
            schema.indexes[beside(name, label)] = KnownIndex(
                name, constraint.columns, unique=True, reads=frozenset(), backs_constraint=True
            )


def _rename_index(schema: KnownSchema, old: str, new: str) -> None:
    if old in schema.indexes:
        schema.indexes[new] = schema.indexes.pop(old)
        schema.indexes[new].backs_constraint = True


def _create_table(schema: KnownSchema, action: CreateTable) -> None:
    if action.table in schema.tables and action.if_not_exists:
        return
    table = KnownTable(
        complete=not (action.like or action.inherits or action.parent),
        persistence=action.persistence,
        partition_strategy=action.partition_strategy,
        partition_key=action.partition_key,
        parent=action.parent,
        bound=action.bound,
        inherits=action.inherits,
        of_type=action.of_type,
    )
    for above in (*action.like, *action.inherits, *([action.parent] if action.parent else [])):
        _inherit_columns(schema, table, above)
    for above in (*action.inherits, *([action.parent] if action.parent else [])):
        _inherit_checks(schema, table, above)
    for column in action.columns:
        _learn_column(schema, table, column)
    schema.tables[action.table] = table
    schema.has_partitions |= action.parent is not None or bool(action.inherits)
    for constraint in action.constraints:  # NOT VALID means nothing here: there are no rows
        known = constraint if constraint.valid else constraint.with_(valid=True)
        _learn_constraint(schema, action.table, table, known)
    schema.fresh.add(("table", action.table))
    for column in action.columns:
        schema.fresh.add(("column", f"{action.table}.{column.name}"))


def _inherit_columns(schema: KnownSchema, table: KnownTable, above: str) -> None:
    source = schema.tables.get(above)
    if source:
        table.complete = source.complete
        for name, column in source.columns.items():
            table.columns[name] = KnownColumn(column.type, column.not_null, collation=column.collation)


def _inherit_checks(schema: KnownSchema, table: KnownTable, above: str) -> None:
    source = schema.tables.get(above)
    for label, constraint in source.constraints.items() if source else ():
        if constraint.kind is ConstraintKind.CHECK and constraint.inherited:
            table.constraints[label] = constraint


def _create_table_as(schema: KnownSchema, action: CreateTableAs) -> None:
    if action.table in schema.tables and action.if_not_exists:
        return
    kind = "matview" if action.materialized else "table"
    persistence = "temporary" if action.temporary else "permanent"
    schema.tables[action.table] = KnownTable(kind=kind, persistence=persistence)
    schema.fresh.add(("table", action.table))
    if action.materialized:
        schema.views[action.table] = _view(action.sources, action.query)


def _view(sources: tuple[str, ...], query: Expression) -> KnownView:
    stars = any(tag == "A_Star" for tag, _ in walk(query.node))
    return KnownView(sources, query.columns(), stars)


def _create_view(schema: KnownSchema, action: CreateView) -> None:
    if action.name not in schema.views:
        schema.fresh.add(("view", action.name))
    schema.views[action.name] = _view(action.sources, action.query)


def _add_column(schema: KnownSchema, action: AddColumn) -> None:
    table = schema.known(action.table)
    if action.column.name in table.columns and action.if_not_exists:
        return
    _learn_column(schema, table, action.column)
    schema.fresh.add(("column", f"{action.table}.{action.column.name}"))
    for constraint in action.column.constraints:
        _learn_constraint(schema, action.table, table, constraint)


def _drop_column(schema: KnownSchema, action: DropColumn) -> None:
    table = schema.tables.get(action.table)
    if table:
        table.columns.pop(action.column, None)
        for name in [name for name, each in table.constraints.items() if action.column in each.columns]:
            del table.constraints[name]
    for name, index in list(schema.indexes.items()):
        if index.table == action.table and (action.column in index.columns or action.column in index.reads):
            del schema.indexes[name]
    schema.fresh.discard(("column", f"{action.table}.{action.column}"))


def _change_type(schema: KnownSchema, action: ChangeType) -> None:
    facts = schema.column(action.table, action.column)
    if facts:
        facts.type, facts.collation = action.type, action.collation
    else:
        schema.known(action.table).columns[action.column] = KnownColumn(action.type, collation=action.collation)


def _alter_column(schema: KnownSchema, action: AlterColumn) -> None:
    facts = schema.column(action.table, action.column)
    if facts is None:
        return
    match action.change:
        case ColumnChange.SET_NOT_NULL:
            facts.not_null = True
        case ColumnChange.DROP_NOT_NULL:
            facts.not_null = False
        case ColumnChange.SET_DEFAULT:
            facts.has_default = not (action.expression and action.expression.is_null)
        case ColumnChange.DROP_DEFAULT | ColumnChange.DROP_IDENTITY:
            facts.has_default = False
        case ColumnChange.ADD_IDENTITY:
            facts.has_default = True
        case ColumnChange.DROP_EXPRESSION:
            facts.generated, facts.reads = None, frozenset()


def _add_constraint(schema: KnownSchema, action: AddConstraint) -> None:
    reached = [action.table]
    if action.constraint.kind is ConstraintKind.CHECK and action.constraint.inherited:
        reached += schema.descendants(action.table)
    label = action.constraint.name or default_name(action.table, action.constraint)
    for table in reached:
        _learn_constraint(schema, table, schema.known(table), action.constraint.with_(name=label))
    schema.fresh.add(("constraint", f"{action.table}.{label}"))


def _drop_constraint(schema: KnownSchema, action: DropConstraint) -> None:
    table = schema.tables.get(action.table)
    dropped = table.constraints.pop(action.name, None) if table else None
    schema.fresh.discard(("constraint", f"{action.table}.{action.name}"))
    schema.indexes.pop(beside(action.table, action.name), None)
    if table and dropped and dropped.kind is ConstraintKind.NOT_NULL:
        for column in dropped.columns:
            if column in table.columns:
                table.columns[column].not_null = False


def _validate_constraint(schema: KnownSchema, action: ValidateConstraint) -> None:
    table = schema.tables.get(action.table)
    if table and action.name in table.constraints:
        valid = table.constraints[action.name].with_(valid=True, name=action.name)
        _learn_constraint(schema, action.table, table, valid)


def _alter_constraint(schema: KnownSchema, action: AlterConstraint) -> None:
    table = schema.tables.get(action.table)
    if table and action.name in table.constraints and action.enforced is not None:
        table.constraints[action.name] = table.constraints[action.name].with_(enforced=action.enforced)


def _attach(schema: KnownSchema, action: AttachPartition) -> None:
    partition = schema.known(action.partition)
    partition.parent, partition.bound = action.table, action.bound
    schema.has_partitions = True
    parent = schema.known(action.table)
    parent.partition_strategy = parent.partition_strategy or action.bound.strategy or "range"


def _detach(schema: KnownSchema, action: DetachPartition) -> None:
    partition = schema.known(action.partition)
    partition.parent = partition.bound = None


def _alter_relation(schema: KnownSchema, action: AlterRelation) -> None:
    table = schema.tables.get(action.table)
    if table and action.change is TableChange.SET_LOGGED:
        table.persistence = "permanent"
    elif table and action.change is TableChange.SET_UNLOGGED:
        table.persistence = "unlogged"
    elif table and action.change is TableChange.SET_ACCESS_METHOD:
        table.access_method = action.argument
    elif action.change is TableChange.INHERIT and action.argument:
        schema.known(action.table).inherits += (action.argument,)
        schema.has_partitions = True
    elif table and action.change is TableChange.NO_INHERIT:
        table.inherits = tuple(each for each in table.inherits if each != action.argument)


def _create_index(schema: KnownSchema, action: CreateIndex) -> None:
    columns = "_".join(column.strip('"') if column else "expr" for column in action.columns)
    own = action.name or quoted(f"{action.table.rsplit('.', 1)[-1]}_{columns}_idx")
    name = beside(action.table, own)
    if action.if_not_exists and name in schema.indexes:
        return
    schema.indexes[name] = KnownIndex(
        action.table, action.columns, action.unique, action.read, partial=action.where is not None
    )
    schema.fresh.add(("index", name))


def _create_trigger(schema: KnownSchema, action: CreateTrigger) -> None:
    schema.known(action.table).triggers[action.name] = action
    schema.fresh.add(("trigger", f"{action.table}.{action.name}"))


def _create_rule(schema: KnownSchema, action: CreateRule) -> None:
    schema.known(action.table).rules[action.name] = action.columns
    schema.fresh.add(("rule", f"{action.table}.{action.name}"))


def _set_policy(schema: KnownSchema, action: SetPolicy) -> None:
    schema.known(action.table).policies[action.name] = action.columns
    if action.created:
        schema.fresh.add(("policy", f"{action.table}.{action.name}"))


HANDLERS: dict[type[Action], Callable[..., None]] = {
    AddColumn: _add_column,
    AddConstraint: _add_constraint,
    AlterColumn: _alter_column,
    AlterConstraint: _alter_constraint,
    AlterRelation: _alter_relation,
    AttachPartition: _attach,
    ChangeType: _change_type,
    CreateIndex: _create_index,
    CreateRule: _create_rule,
    CreateTable: _create_table,
    CreateTableAs: _create_table_as,
    CreateTrigger: _create_trigger,
    CreateView: _create_view,
    DetachPartition: _detach,
    DropColumn: _drop_column,
    DropConstraint: _drop_constraint,
    SetPolicy: _set_policy,
    ValidateConstraint: _validate_constraint,
}
