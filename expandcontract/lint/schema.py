"""The schema as far as SQL has told: what earlier statements made, and which of it this text made itself."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator

from expandcontract.lint.expression import Expression, walk
from expandcontract.lint.identifier import quoted
from expandcontract.lint.reading.text import read
from expandcontract.lint.size import Size, read_sizes, together
from expandcontract.lint.sqltype import SqlType
from expandcontract.lint.statement import (
    Action,
    AddColumn,
    AddConstraint,
    AlterColumn,
    AlterConstraint,
    AlterDomain,
    AlterRelation,
    AttachPartition,
    Bound,
    ChangeType,
    Column,
    ColumnChange,
    Constraint,
    ConstraintKind,
    CreateDomain,
    CreateFunction,
    CreateIndex,
    CreateSchema,
    CreateTable,
    CreateTableAs,
    CreateTrigger,
    CreateType,
    CreateView,
    DetachPartition,
    Drop,
    DropColumn,
    DropConstraint,
    Rename,
    SetExtension,
    SetPolicy,
    SetSchema,
    SetSequence,
    Statement,
    TableChange,
    ValidateConstraint,
)
from expandcontract.lint.value import Record


class KnownColumn(Record):
    """What is known of a column."""

    type: SqlType
    not_null: bool = False
    has_default: bool = False
    generated: str | None = None
    reads: frozenset[str] = frozenset()  # the columns that its generation expression reads
    collation: str | None = None  # None: its type's own


class KnownIndex(Record):
    """What is known of an index; ``reads`` are the columns in its expressions and predicate."""

    table: str
    columns: tuple[str | None, ...]
    unique: bool
    reads: frozenset[str]
    partial: bool = False
    backs_constraint: bool = False


class KnownTable(Record):
    """What is known of a table, a materialised view, or a view that stands in its place."""

    kind: str = "table"
    complete: bool = False  # its CREATE was read, so an absent column is absent
    persistence: str = "permanent"
    columns: dict[str, KnownColumn] = {}
    constraints: dict[str, Constraint] = {}
    partition_strategy: str | None = None
    partition_key: tuple[str, ...] = ()
    parent: str | None = None
    bound: Bound | None = None
    triggers: dict[str, CreateTrigger] = {}
    policies: dict[str, frozenset[str]] = {}
    inherits: tuple[str, ...] = ()
    of_type: str | None = None
    access_method: str | None = None

    def valid_checks(self) -> Iterator[tuple[str, Expression]]:
        """Give its validated, enforced CHECK constraints: name and expression."""
        for name, constraint in self.constraints.items():
            checked = constraint.kind is ConstraintKind.CHECK and constraint.valid and constraint.enforced
            if checked and constraint.expression:
                yield name, constraint.expression

    def foreign_keys(self) -> Iterator[Constraint]:
        """Give its foreign keys."""
        return (each for each in self.constraints.values() if each.kind is ConstraintKind.FOREIGN_KEY)


class KnownView(Record):
    """What is known of a view: the relations it reads, and the columns; ``everything`` tells a ``*``."""

    sources: tuple[str, ...]
    columns: set[str]
    everything: bool


class KnownDomain(Record):
    """What is known of a domain."""

    type: SqlType
    constrained: bool
    has_default: bool


class Schema:
    """Everything known, by name; ``fresh`` holds (kind, name) of what the text under judgement made."""

    def __init__(self) -> None:
        self.tables: dict[str, KnownTable] = {}
        self.indexes: dict[str, KnownIndex] = {}
        self.views: dict[str, KnownView] = {}
        self.domains: dict[str, KnownDomain] = {}
        self.enums: dict[str, set[str]] = {}
        self.composites: set[str] = set()
        self.sequences: set[str] = set()
        self.functions: dict[str, CreateFunction] = {}
        self.extensions: set[str] = set()
        self.schemas: set[str] = set()
        self.maybe_referencing: dict[str, dict[str, None]] = {}  # children by parent, dropped ones included
        self.has_partitions = False  # or tables that inherit; spares a look at every table where there are none
        self.sizes: dict[str, Size] = {}  # as a catalogue told
        self.fresh: set[tuple[str, str]] = set()

    def fork(self, touched: Iterable[str]) -> Schema:
        """Give a copy that may change without changing this one, while only these tables are touched."""
        other = Schema()
        for name, value in vars(self).items():
            setattr(other, name, copy.copy(value))
        names = set(touched)
        for name in names & self.tables.keys():
            other.tables[name] = copy.deepcopy(self.tables[name])
        for name, index in self.indexes.items():
            if index.table in names:
                other.indexes[name] = copy.copy(index)
        return other

    @classmethod
    def from_sql(cls, sql: str) -> Schema:
        """Give the schema that running this SQL on an empty database leaves behind."""
        schema = cls()
        schema.learn(read(sql))
        schema.sizes.update(read_sizes(sql))
        return schema

    def learn(self, statements: Iterable[Statement]) -> None:
        """Take in statements that have been deployed; nothing they made counts as fresh."""
        for statement in statements:
            for action in statement.actions:
                self.apply(action)
        self.fresh.clear()

    def assume_column(self, table: str, column: str, type_text: str) -> None:
        """Take in the type that somebody says a column has, unless the history knows better."""
        ((created,),) = [statement.actions for statement in read(f"CREATE TABLE assumed (it {type_text})")]
        if isinstance(created, CreateTable) and self.column(table, column) is None:
            _known(self, table).columns[column] = KnownColumn(created.columns[0].type)

    def apply(self, action: Action) -> None:
        """Take in one action."""
        handler = _HANDLERS.get(type(action))
        if handler:
            handler(self, action)

    def table(self, name: str) -> KnownTable | None:
        """Give what is known of a table, or None."""
        return self.tables.get(name)

    def column(self, table: str, column: str) -> KnownColumn | None:
        """Give what is known of a column, or None."""
        known = self.tables.get(table)
        return known.columns.get(column) if known else None

    def lacks_column(self, table: str, column: str) -> bool:
        """Whether the table is fully known and has no such column."""
        known = self.tables.get(table)
        return bool(known and known.complete and column not in known.columns)

    def is_fresh(self, kind: str, name: str) -> bool:
        """Whether the text under judgement made this itself, so that nobody else uses it yet."""
        return (kind, name) in self.fresh

    def indexes_of(self, table: str) -> list[KnownIndex]:
        """Give the known indexes of a table."""
        return [index for index in self.indexes.values() if index.table == table]

    def partitions(self, parent: str) -> list[str]:
        """Give the known partitions of a table, also those of its partitions."""
        if not self.has_partitions:
            return []
        direct = [name for name, table in self.tables.items() if table.parent == parent]
        return direct + [below for name in direct for below in self.partitions(name)]

    def descendants(self, table: str) -> list[str]:
        """Give the tables that ALTER TABLE on this one reaches: its partitions, and those that inherit from it."""
        if not self.has_partitions:
            return []
        direct = [name for name, each in self.tables.items() if each.parent == table or table in each.inherits]
        return direct + [below for name in direct for below in self.descendants(name)]

    def size(self, table: str) -> Size | None:
        """Give how large a table is, its partitions included; None where no catalogue told."""
        told = [self.sizes[name] for name in (table, *self.partitions(table)) if name in self.sizes]
        return together(told) if told else None

    def domain_of(self, declared: SqlType) -> KnownDomain | None:
        """Give the domain that a column of this type has; an array of a domain isn't one."""
        return None if declared.dimensions else self.domains.get(declared.name)

    def default_partition(self, parent: str) -> str | None:
        """Give the name of a table's DEFAULT partition, where it is known to have one."""
        for name, table in self.tables.items():
            if table.parent == parent and table.bound and table.bound.is_default:
                return name
        return None

    def is_partitioned(self, name: str) -> bool:
        """Whether the table is known to be partitioned."""
        known = self.tables.get(name)
        return bool(known and known.partition_strategy)

    def referencing(self, table: str) -> list[str]:
        """Give the tables whose foreign keys point at this one."""
        return [
            name
            for name in self.maybe_referencing.get(table, ())
            if name != table
            and name in self.tables
            and any(key.references == table for key in self.tables[name].foreign_keys())
        ]

    def referenced(self, table: str) -> list[str]:
        """Give the tables that its foreign keys point at, itself left out."""
        known = self.tables.get(table)
        found = {key.references for key in known.foreign_keys() if key.references} if known else set()
        return sorted(found - {table})

    def using_type(self, name: str) -> list[tuple[str, str]]:
        """Give the (table, column) pairs of a type of the user's."""
        return [
            (table, column)
            for table, known in self.tables.items()
            for column, facts in known.columns.items()
            if facts.type.name == name
        ]

    def column_not_null(self, table: str, column: str) -> bool:
        """Whether the column is known to be NOT NULL."""
        facts = self.column(table, column)
        return bool(facts and facts.not_null)

    def views_reading(self, table: str, column: str) -> list[str]:
        """Give the views that read a column of a table."""
        return [
            name
            for name, view in self.views.items()
            if table in view.sources and (view.everything or column in view.columns)
        ]


def default_name(table: str, constraint: Constraint) -> str:
    """Give the name that PostgreSQL invents for an unnamed constraint (ChooseIndexName and its kin)."""
    base = table.rsplit(".", 1)[-1].strip('"')
    columns = [column.strip('"') for column in constraint.columns]
    suffix = {
        ConstraintKind.PRIMARY_KEY: ["pkey"],
        ConstraintKind.UNIQUE: [*columns, "key"],
        ConstraintKind.FOREIGN_KEY: [*columns, "fkey"],
        ConstraintKind.EXCLUDE: [*columns, "excl"],
        ConstraintKind.NOT_NULL: [*columns, "not_null"],
        ConstraintKind.CHECK: [*(columns if len(columns) == 1 else []), "check"],
    }[constraint.kind]
    return quoted("_".join([base, *suffix]))


def _learn_column(schema: Schema, table: KnownTable, column: Column) -> None:
    domain = schema.domain_of(column.type)
    table.columns[column.name] = KnownColumn(
        column.type.stored,
        not_null=column.not_null,
        has_default=column.has_default or bool(domain and domain.has_default),
        generated=column.generated,
        reads=frozenset(column.generation.columns()) if column.generation else frozenset(),
        collation=column.collation,
    )


def _learn_constraint(schema: Schema, name: str, table: KnownTable, constraint: Constraint) -> None:
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


def beside(table: str, name: str) -> str:
    """Give a name in the table's schema, which is where its indexes live."""
    return f"{table.rsplit('.', 1)[0]}.{name}" if "." in table else name


def _rename_index(schema: Schema, old: str, new: str) -> None:
    if old in schema.indexes:
        schema.indexes[new] = schema.indexes.pop(old)
        schema.indexes[new].backs_constraint = True


def _create_table(schema: Schema, action: CreateTable) -> None:
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


def _inherit_columns(schema: Schema, table: KnownTable, above: str) -> None:
    source = schema.tables.get(above)
    if source:
        table.complete = source.complete
        for name, column in source.columns.items():
            table.columns[name] = KnownColumn(column.type, column.not_null, collation=column.collation)


def _inherit_checks(schema: Schema, table: KnownTable, above: str) -> None:
    source = schema.tables.get(above)
    for label, constraint in source.constraints.items() if source else ():
        if constraint.kind is ConstraintKind.CHECK and constraint.inherited:
            table.constraints[label] = constraint


def _create_table_as(schema: Schema, action: CreateTableAs) -> None:
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


def _create_view(schema: Schema, action: CreateView) -> None:
    if action.name not in schema.views:
        schema.fresh.add(("view", action.name))
    schema.views[action.name] = _view(action.sources, action.query)


def _known(schema: Schema, name: str) -> KnownTable:
    return schema.tables.setdefault(name, KnownTable())


def _add_column(schema: Schema, action: AddColumn) -> None:
    table = _known(schema, action.table)
    if action.column.name in table.columns and action.if_not_exists:
        return
    _learn_column(schema, table, action.column)
    schema.fresh.add(("column", f"{action.table}.{action.column.name}"))
    for constraint in action.column.constraints:
        _learn_constraint(schema, action.table, table, constraint)


def _drop_column(schema: Schema, action: DropColumn) -> None:
    table = schema.tables.get(action.table)
    if table:
        table.columns.pop(action.column, None)
        for name in [name for name, each in table.constraints.items() if action.column in each.columns]:
            del table.constraints[name]
    for name, index in list(schema.indexes.items()):
        if index.table == action.table and (action.column in index.columns or action.column in index.reads):
            del schema.indexes[name]
    schema.fresh.discard(("column", f"{action.table}.{action.column}"))


def _change_type(schema: Schema, action: ChangeType) -> None:
    facts = schema.column(action.table, action.column)
    if facts:
        facts.type, facts.collation = action.type, action.collation
    else:
        _known(schema, action.table).columns[action.column] = KnownColumn(action.type, collation=action.collation)


def _alter_column(schema: Schema, action: AlterColumn) -> None:
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


def _add_constraint(schema: Schema, action: AddConstraint) -> None:
    reached = [action.table]
    if action.constraint.kind is ConstraintKind.CHECK and action.constraint.inherited:
        reached += schema.descendants(action.table)
    label = action.constraint.name or default_name(action.table, action.constraint)
    for table in reached:
        _learn_constraint(schema, table, _known(schema, table), action.constraint.with_(name=label))
    schema.fresh.add(("constraint", f"{action.table}.{label}"))


def _drop_constraint(schema: Schema, action: DropConstraint) -> None:
    table = schema.tables.get(action.table)
    dropped = table.constraints.pop(action.name, None) if table else None
    schema.fresh.discard(("constraint", f"{action.table}.{action.name}"))
    schema.indexes.pop(beside(action.table, action.name), None)
    if table and dropped and dropped.kind is ConstraintKind.NOT_NULL:
        for column in dropped.columns:
            if column in table.columns:
                table.columns[column].not_null = False


def _validate_constraint(schema: Schema, action: ValidateConstraint) -> None:
    table = schema.tables.get(action.table)
    if table and action.name in table.constraints:
        valid = table.constraints[action.name].with_(valid=True, name=action.name)
        _learn_constraint(schema, action.table, table, valid)


def _alter_constraint(schema: Schema, action: AlterConstraint) -> None:
    table = schema.tables.get(action.table)
    if table and action.name in table.constraints and action.enforced is not None:
        table.constraints[action.name] = table.constraints[action.name].with_(enforced=action.enforced)


def _attach(schema: Schema, action: AttachPartition) -> None:
    partition = _known(schema, action.partition)
    partition.parent, partition.bound = action.table, action.bound
    schema.has_partitions = True
    parent = _known(schema, action.table)
    parent.partition_strategy = parent.partition_strategy or action.bound.strategy or "range"


def _detach(schema: Schema, action: DetachPartition) -> None:
    partition = _known(schema, action.partition)
    partition.parent = partition.bound = None


def _alter_relation(schema: Schema, action: AlterRelation) -> None:
    table = schema.tables.get(action.table)
    if table and action.change is TableChange.SET_LOGGED:
        table.persistence = "permanent"
    elif table and action.change is TableChange.SET_UNLOGGED:
        table.persistence = "unlogged"
    elif table and action.change is TableChange.SET_ACCESS_METHOD:
        table.access_method = action.argument
    elif action.change is TableChange.INHERIT and action.argument:
        _known(schema, action.table).inherits += (action.argument,)
        schema.has_partitions = True
    elif table and action.change is TableChange.NO_INHERIT:
        table.inherits = tuple(each for each in table.inherits if each != action.argument)


def _create_index(schema: Schema, action: CreateIndex) -> None:
    columns = "_".join(column.strip('"') if column else "expr" for column in action.columns)
    own = action.name or quoted(f"{action.table.rsplit('.', 1)[-1]}_{columns}_idx")
    name = beside(action.table, own)
    if action.if_not_exists and name in schema.indexes:
        return
    schema.indexes[name] = KnownIndex(
        action.table, action.columns, action.unique, action.read, partial=action.where is not None
    )
    schema.fresh.add(("index", name))


def _create_trigger(schema: Schema, action: CreateTrigger) -> None:
    _known(schema, action.table).triggers[action.name] = action
    schema.fresh.add(("trigger", f"{action.table}.{action.name}"))


def _set_policy(schema: Schema, action: SetPolicy) -> None:
    _known(schema, action.table).policies[action.name] = action.columns
    if action.created:
        schema.fresh.add(("policy", f"{action.table}.{action.name}"))


def _create_type(schema: Schema, action: CreateType) -> None:
    if action.values is not None:
        schema.enums[action.name] = set(action.values)
    elif action.attributes is not None:
        schema.composites.add(action.name)
    schema.fresh.add(("type", action.name))


def _create_domain(schema: Schema, action: CreateDomain) -> None:
    base = schema.domains.get(action.type.name)
    schema.domains[action.name] = KnownDomain(
        base.type if base else action.type,
        action.constrained or bool(base and base.constrained),
        action.has_default or bool(base and base.has_default),
    )
    schema.fresh.add(("type", action.name))


def _alter_domain(schema: Schema, action: AlterDomain) -> None:
    domain = schema.domains.get(action.name)
    if domain and action.change in ("add constraint", "set not null"):
        domain.constrained = True
    elif domain and action.change == "default":
        domain.has_default = True


def _set_sequence(schema: Schema, action: SetSequence) -> None:
    if action.created and not (action.if_not_exists and action.name in schema.sequences):
        schema.sequences.add(action.name)
        schema.fresh.add(("sequence", action.name))


def _create_function(schema: Schema, action: CreateFunction) -> None:
    if action.name not in schema.functions:
        schema.fresh.add(("function", action.name))
    schema.functions[action.name] = action


def _set_extension(schema: Schema, action: SetExtension) -> None:
    if action.created and action.name not in schema.extensions:
        schema.extensions.add(action.name)
        schema.fresh.add(("extension", action.name))


def _create_schema(schema: Schema, action: CreateSchema) -> None:
    if action.name not in schema.schemas:
        schema.schemas.add(action.name)
        schema.fresh.add(("schema", action.name))


_RELATIONS = frozenset(("table", "foreign_table", "matview", "view"))
FRESH_KINDS = {
    "table": "table",
    "foreign_table": "table",
    "matview": "table",
    "view": "view",
    "index": "index",
    "sequence": "sequence",
    "type": "type",
    "domain": "type",
    "function": "function",
    "procedure": "function",
    "routine": "function",
    "extension": "extension",
    "schema": "schema",
}


def _drop(schema: Schema, action: Drop) -> None:
    if action.table:
        table = schema.tables.get(action.table)
        if table:
            (table.triggers if action.kind == "trigger" else table.policies).pop(action.name, None)
        schema.fresh.discard((action.kind, f"{action.table}.{action.name}"))
        return
    schema.fresh.discard((FRESH_KINDS.get(action.kind, action.kind), action.name))
    if action.kind in _RELATIONS:
        schema.tables.pop(action.name, None)
        schema.views.pop(action.name, None)
        for name in [name for name, index in schema.indexes.items() if index.table == action.name]:
            del schema.indexes[name]
    elif action.kind == "index":
        schema.indexes.pop(action.name, None)
    elif action.kind in ("type", "domain"):
        schema.domains.pop(action.name, None)
        schema.enums.pop(action.name, None)
        schema.composites.discard(action.name)
    elif action.kind == "sequence":
        schema.sequences.discard(action.name)
    elif action.kind in ("function", "procedure", "routine"):
        schema.functions.pop(action.name, None)


def _rename(schema: Schema, action: Rename) -> None:
    table = schema.tables.get(action.relation) if action.relation else None
    if action.kind == "column" and table and action.old in table.columns:
        table.columns[action.new] = table.columns.pop(action.old)
        _move_fresh(schema, "column", f"{action.relation}.{action.old}", f"{action.relation}.{action.new}")
    elif action.kind == "tabconstraint" and table and action.old in table.constraints:
        table.constraints[action.new] = table.constraints.pop(action.old)
    elif action.kind == "enum value" and action.relation in schema.enums:
        schema.enums[action.relation].discard(action.old)
        schema.enums[action.relation].add(action.new)
    elif action.relation is None:
        _move(schema, action.kind, action.old, beside(action.old, action.new))


def _set_schema(schema: Schema, action: SetSchema) -> None:
    bare = action.name.rsplit(".", 1)[-1]
    _move(schema, action.kind, action.name, bare if action.schema == "public" else f"{action.schema}.{bare}")


def _move(schema: Schema, kind: str, old: str, new: str) -> None:
    """Let everything known under the old name be known under the new one."""
    stores: tuple[dict[str, object], ...] = (
        schema.tables,
        schema.views,
        schema.indexes,
        schema.domains,
        schema.enums,
        schema.functions,
    )  # type: ignore[assignment]
    for store in stores:
        if old in store:
            store[new] = store.pop(old)
    for index in schema.indexes.values():
        if index.table == old and kind in _RELATIONS:
            index.table = new
    for table in schema.tables.values():
        if table.parent == old and kind in _RELATIONS:
            table.parent = new
    if kind in _RELATIONS:
        _follow_foreign_keys(schema, old, new)
    for names in (schema.sequences, schema.composites, schema.schemas):
        if old in names:
            names.remove(old)
            names.add(new)
    _move_fresh(schema, FRESH_KINDS.get(kind, kind), old, new)


def _follow_foreign_keys(schema: Schema, old: str, new: str) -> None:
    """Let foreign keys of and to a renamed table follow it."""
    schema.maybe_referencing[new] = schema.maybe_referencing.pop(old, {})
    for parent, children in schema.maybe_referencing.items():
        if old in children:
            schema.maybe_referencing[parent] = {**children, new: None}
    for child in schema.maybe_referencing[new]:
        known = schema.tables.get(child)
        for label, constraint in known.constraints.items() if known else ():
            if known and constraint.references == old:
                known.constraints[label] = constraint.with_(references=new)


def _move_fresh(schema: Schema, kind: str, old: str, new: str) -> None:
    if (kind, old) in schema.fresh:
        schema.fresh.discard((kind, old))
        schema.fresh.add((kind, new))


_HANDLERS: dict[type[Action], Callable[..., None]] = {
    AddColumn: _add_column,
    AddConstraint: _add_constraint,
    AlterColumn: _alter_column,
    AlterConstraint: _alter_constraint,
    AlterDomain: _alter_domain,
    AlterRelation: _alter_relation,
    AttachPartition: _attach,
    ChangeType: _change_type,
    CreateDomain: _create_domain,
    CreateFunction: _create_function,
    CreateIndex: _create_index,
    CreateSchema: _create_schema,
    CreateTable: _create_table,
    CreateTableAs: _create_table_as,
    CreateTrigger: _create_trigger,
    CreateType: _create_type,
    CreateView: _create_view,
    DetachPartition: _detach,
    Drop: _drop,
    DropColumn: _drop_column,
    DropConstraint: _drop_constraint,
    Rename: _rename,
    SetExtension: _set_extension,
    SetPolicy: _set_policy,
    SetSchema: _set_schema,
    SetSequence: _set_sequence,
    ValidateConstraint: _validate_constraint,
}
