"""
What an action makes PostgreSQL do: which relations it locks and how, and what work it does under the locks.

The one place with such knowledge; the rules ask here, and every answer is compared with measurements on
PostgreSQL 10 to 18. Lock levels: https://www.postgresql.org/docs/current/explicit-locking.html and
AlterTableGetLockLevel() in the server's tablecmds.c.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from expandcontract.lint.expression import Expression
from expandcontract.lint.known import KnownTable, beside
from expandcontract.lint.schema import Schema
from expandcontract.lint.server.attach import bound_is_proven
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.server.type_change import convert, is_plain_cast
from expandcontract.lint.server.volatility import volatile_functions
from expandcontract.lint.sqltype import SqlType
from expandcontract.lint.statement import (
    Action,
    AddColumn,
    AddConstraint,
    AlterColumn,
    AlterComposite,
    AlterConstraint,
    AlterDomain,
    AlterRelation,
    AttachPartition,
    Authorise,
    ChangePublication,
    ChangeType,
    ColumnChange,
    Comment,
    Constraint,
    ConstraintKind,
    CreateIndex,
    CreateRule,
    CreateStatistics,
    CreateTable,
    CreateTableAs,
    CreateTrigger,
    CreateView,
    DetachPartition,
    Drop,
    DropColumn,
    DropConstraint,
    LockTable,
    Maintain,
    Read,
    RefreshMatview,
    Reindex,
    Rename,
    SetPolicy,
    SetSchema,
    SetSequence,
    TableChange,
    Truncate,
    ValidateConstraint,
    Write,
)
from expandcontract.lint.value import Record, Value

_SUE, _SRE, _AEL = Lock.SHARE_UPDATE_EXCLUSIVE, Lock.SHARE_ROW_EXCLUSIVE, Lock.ACCESS_EXCLUSIVE
_INDEXED = frozenset((ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE, ConstraintKind.EXCLUDE))


class Effects(Record):
    """Locks by relation, and the work done while they are held."""

    locks: dict[str, Lock] = {}
    rewrites: set[str] = set()
    scans: bool = False  # reads a whole table to check something
    checks_keys: bool = False  # looks up every row of a foreign key
    builds_index: bool = False
    proof_used: bool = False  # a scan was spared by an existing constraint
    reads_data: bool = False  # works on rows: DML, SELECT, a copy of a table

    def lock(self, relations: Iterable[str], mode: Lock) -> None:
        """Note a lock; the strongest one on a relation counts."""
        for relation in relations:
            self.locks[relation] = max(mode, self.locks.get(relation, mode))

    @property
    def is_slow(self) -> bool:
        """Whether the work grows with the size of a table."""
        return bool(self.rewrites or self.scans or self.checks_keys or self.builds_index or self.reads_data)


class Server(Value):
    """
    What is assumed of the server: major version, schema, the session's time zone (None: unknown).

    ``leaving`` are the (table, constraint) pairs that the statement at hand drops: ALTER TABLE drops first,
    wherever in the statement that stands, so that the rest of it can't lean on them.
    """

    version: int
    schema: Schema
    time_zone: str | None = None
    leaving: frozenset[tuple[str, str]] = frozenset()

    def checks_of(self, table: str) -> list[Expression]:
        """Give the valid CHECKs of a table that the statement at hand leaves in place."""
        known = self.schema.table(table)
        if known is None:
            return []
        return [check for name, check in known.valid_checks() if (table, name) not in self.leaving]

    def during(self, actions: Sequence[Action]) -> Server:
        """Give the server as the actions of one statement meet it."""
        drops = [(each.table, each.name) for each in actions if isinstance(each, DropConstraint)]
        return self.with_(leaving=frozenset(drops)) if drops and len(actions) > 1 else self


def effects_of(actions: Iterable[Action], server: Server) -> Effects:
    """Give what these actions of one statement do together; see `Server.during`."""
    found = Effects()
    for action in actions:
        handler = _HANDLERS.get(type(action))
        if handler:
            handler(action, server, found)
    return found


def family(table: str, server: Server) -> list[str]:
    """Give a table and its known partitions."""
    return [table, *server.schema.partitions(table)]


def reached(table: str, server: Server) -> list[str]:
    """Give a table and all that ALTER TABLE on it changes as well: partitions, and tables that inherit."""
    return [table, *server.schema.descendants(table)]


def default_is_volatile(action: AddColumn, server: Server) -> bool:
    """Whether the column's default has to be worked out for every existing row."""
    default = action.column.default
    return bool(default and volatile_functions(default, server.schema, server.version))


def column_is_rewritten(action: AddColumn, server: Server) -> bool:
    """Whether adding the column writes every existing row anew."""
    column = action.column
    if action.if_not_exists and server.schema.column(action.table, column.name):
        return False
    domain = server.schema.domain_of(column.type)
    if column.generated == "stored" or column.identity or column.type.serial or (domain and domain.constrained):
        return True
    if column.default is None or column.default.is_null:
        return False
    return server.version < 11 or default_is_volatile(action, server)


def _add_column(action: AddColumn, server: Server, found: Effects) -> None:
    found.lock(reached(action.table, server), _AEL)
    column = action.column
    if action.if_not_exists and server.schema.column(action.table, column.name):
        return
    if column_is_rewritten(action, server):
        found.rewrites.update(_with_rows(action.table, server))
    domain = server.schema.domain_of(column.type)
    has_default = column.has_default or bool(domain and domain.has_default)
    if column.not_null and not has_default and not found.rewrites:
        found.scans = True  # it fails on the first row, and reads an empty table to its end
    for constraint in column.constraints:
        if constraint.kind is ConstraintKind.FOREIGN_KEY and constraint.references:
            found.lock([constraint.references], _SRE)
            found.checks_keys |= column.has_default
        elif constraint.kind is ConstraintKind.CHECK and constraint.enforced:
            found.scans |= not found.rewrites
        elif constraint.kind in _INDEXED:
            found.builds_index |= not found.rewrites


def _with_rows(table: str, server: Server) -> list[str]:
    """Give the relations that hold a table's rows: itself, or its partitions."""
    if not server.schema.is_partitioned(table):
        return [table]
    return [name for name in server.schema.partitions(table) if not server.schema.is_partitioned(name)] or [table]


def _drop_column(action: DropColumn, server: Server, found: Effects) -> None:
    found.lock(reached(action.table, server), _AEL)
    known = server.schema.table(action.table) or KnownTable()
    keys = [key.references for key in known.foreign_keys() if action.column in key.columns and key.references]
    found.lock([name for key in keys for name in family(key, server)], _AEL)
    if action.cascade:
        found.lock(_keyed_to(action.table, action.column, server.schema), _AEL)
        found.lock(server.schema.views_reading(action.table, action.column), _AEL)


def _keyed_to(table: str, column: str, schema: Schema) -> list[str]:
    """Give the tables with a foreign key to this column."""
    known = schema.table(table) or KnownTable()
    return [
        name
        for name in schema.referencing(table)
        for key in schema.tables[name].foreign_keys()
        if key.references == table and column in _referenced_columns(key, known)
    ]


def _change_type(action: ChangeType, server: Server, found: Effects) -> None:
    found.lock(reached(action.table, server), _AEL)
    schema = server.schema
    facts = schema.column(action.table, action.column)
    table = schema.table(action.table) or KnownTable()
    found.lock(_keyed_to(action.table, action.column, schema), _AEL)
    keys = [key.references for key in table.foreign_keys() if action.column in key.columns and key.references]
    found.lock(keys, _AEL)
    if type_is_rewritten(action, server):
        found.rewrites.update(_with_rows(action.table, server))
        found.checks_keys |= bool(keys)
        return
    found.builds_index |= type_rebuilds_index(action, server)
    found.scans |= facts is not None and any(
        action.column in check.columns() for check in server.checks_of(action.table)
    )


def _referenced_columns(key: Constraint, table: KnownTable) -> tuple[str, ...]:
    if key.referenced_columns:
        return key.referenced_columns
    primary = [each for each in table.constraints.values() if each.kind is ConstraintKind.PRIMARY_KEY]
    return primary[0].columns if primary else ()


def type_is_rewritten(action: ChangeType, server: Server) -> bool:
    """Whether the type change writes every row anew; True as well where the old type isn't known."""
    facts = server.schema.column(action.table, action.column)
    if facts is None or not is_plain_cast(action.using, action.column):
        return True
    return convert(
        facts.type,
        action.type,
        action.using,
        schema=server.schema,
        version=server.version,
        time_zone=server.time_zone,
    ).rewrites


def narrows(old: SqlType, action: ChangeType, server: Server) -> bool:
    """Whether a value of the old type may not fit into the new one."""
    if not is_plain_cast(action.using, action.column):
        return False
    return convert(
        old,
        action.type,
        action.using,
        schema=server.schema,
        version=server.version,
        time_zone=server.time_zone,
    ).narrows


def type_rebuilds_index(action: ChangeType, server: Server) -> bool:
    """
    Whether a type change that leaves the rows alone rebuilds an index on the column.

    Follows CheckIndexCompatible() in the server's indexcmds.c.
    """
    facts = server.schema.column(action.table, action.column)
    if facts is None:
        return False
    reordered = convert(
        facts.type,
        action.type,
        None,
        schema=server.schema,
        version=server.version,
        time_zone=server.time_zone,
    ).changes_order
    reordered |= action.collation != facts.collation
    for index in server.schema.indexes_of(action.table):
        plain = action.column in index.columns
        computed = bool(index.reads) or index.partial or None in index.columns
        if (plain and (reordered or computed)) or action.column in index.reads:
            return True
    return False


def _alter_column(action: AlterColumn, server: Server, found: Effects) -> None:
    if action.change in (ColumnChange.SET_STATISTICS, ColumnChange.SET_OPTIONS):
        statistics = action.change is ColumnChange.SET_STATISTICS
        found.lock(reached(action.table, server) if statistics else [action.table], _SUE)
        return
    alone = action.change is ColumnChange.SET_COMPRESSION
    found.lock([action.table] if alone else reached(action.table, server), _AEL)
    if action.change is ColumnChange.SET_EXPRESSION:
        facts = server.schema.column(action.table, action.column)
        if not facts or facts.generated != "virtual":
            found.rewrites.update(_with_rows(action.table, server))
    elif action.change is ColumnChange.SET_NOT_NULL:
        _set_not_null(action.table, [action.column], server, found)


def not_null_is_proven(table: str, column: str, server: Server) -> bool:
    """Whether a validated CHECK spares the scan of SET NOT NULL; PostgreSQL looks for one since 12."""
    return server.version >= 12 and any(check.proves_not_null(column) for check in server.checks_of(table))


def _set_not_null(table: str, columns: Iterable[str], server: Server, found: Effects) -> None:
    for column in columns:
        if server.schema.column_not_null(table, column):
            continue
        if not_null_is_proven(table, column, server):
            found.proof_used = True
        else:
            found.scans = True


def _add_constraint(action: AddConstraint, server: Server, found: Effects) -> None:
    constraint = action.constraint
    if constraint.kind is ConstraintKind.FOREIGN_KEY:
        found.lock(family(action.table, server), _SRE)
        found.lock(family(constraint.references, server) if constraint.references else [], _SRE)
        found.checks_keys |= constraint.valid and constraint.enforced
    elif constraint.kind is ConstraintKind.CHECK:
        found.lock(reached(action.table, server) if constraint.inherited else [action.table], _AEL)
        found.scans |= constraint.valid and constraint.enforced
    elif constraint.kind is ConstraintKind.NOT_NULL:
        found.lock(reached(action.table, server), _AEL)
        if constraint.valid:
            _set_not_null(action.table, constraint.columns, server, found)
    else:
        _add_indexed_constraint(action, server, found)


def _add_indexed_constraint(action: AddConstraint, server: Server, found: Effects) -> None:
    constraint = action.constraint
    found.lock([action.table], _AEL)
    found.lock(server.schema.partitions(action.table), _AEL if server.version >= 18 else Lock.SHARE)
    found.builds_index |= constraint.using_index is None
    if constraint.kind is ConstraintKind.PRIMARY_KEY:
        columns = key_columns(constraint, action.table, server.schema)
        known = [column for column in columns if server.schema.column(action.table, column)]
        _set_not_null(action.table, known, server, found)


def key_columns(constraint: Constraint, table: str, schema: Schema) -> tuple[str, ...]:
    """Give a key's columns, from its index where it takes one over; empty where that isn't known."""
    if constraint.using_index is None:
        return constraint.columns
    index = schema.indexes.get(beside(table, constraint.using_index))
    return tuple(column for column in index.columns if column) if index else ()


def _validate_constraint(action: ValidateConstraint, server: Server, found: Effects) -> None:
    known = server.schema.table(action.table)
    constraint = known.constraints.get(action.name) if known else None
    found.lock(family(action.table, server), _SUE)
    if constraint and constraint.valid:
        return  # it is valid already
    if constraint and constraint.kind is ConstraintKind.FOREIGN_KEY:
        found.lock([constraint.references] if constraint.references else [], Lock.ROW_SHARE)
        found.checks_keys = True
    else:
        found.scans = True


def _drop_constraint(action: DropConstraint, server: Server, found: Effects) -> None:
    known = server.schema.table(action.table)
    constraint = known.constraints.get(action.name) if known else None
    alone = constraint and (constraint.kind in _INDEXED or constraint.kind is ConstraintKind.FOREIGN_KEY)
    found.lock((family if alone else reached)(action.table, server), _AEL)
    if constraint and constraint.references:
        found.lock(family(constraint.references, server), _AEL)
    if action.cascade and (constraint is None or constraint.kind in _INDEXED):
        found.lock(server.schema.referencing(action.table), _AEL)


def _alter_constraint(action: AlterConstraint, server: Server, found: Effects) -> None:
    found.lock([action.table], _AEL)
    known = server.schema.table(action.table)
    constraint = known.constraints.get(action.name) if known else None
    other = [constraint.references] if constraint and constraint.references else []
    if action.enforced is not None:
        found.lock(other, _SRE if action.enforced else _AEL)
        found.checks_keys |= action.enforced


def _attach_partition(action: AttachPartition, server: Server, found: Effects) -> None:
    found.lock([action.table], _SUE if server.version >= 12 else _AEL)
    found.lock(family(action.partition, server), _AEL)
    if bound_is_proven(action, server.schema):
        found.proof_used = True
    else:
        found.scans = True
    default = server.schema.default_partition(action.table)
    if default:
        found.lock([default], _AEL)
        found.scans = True
    found.lock(server.schema.referencing(action.table), _SRE)
    own = {(index.columns, index.unique) for index in server.schema.indexes_of(action.partition)}
    found.builds_index |= any((i.columns, i.unique) not in own for i in server.schema.indexes_of(action.table))


def _detach_partition(action: DetachPartition, server: Server, found: Effects) -> None:
    if action.concurrently or action.finalize:
        found.lock([action.table, action.partition], _SUE)
        return
    found.lock([action.table], _AEL)
    default = server.schema.default_partition(action.table)
    found.lock([default] if default else [], _AEL)
    found.lock(server.schema.referencing(action.table), _AEL)
    found.lock(family(action.partition, server), _AEL if server.version >= 14 else _SUE)


_WEAK_CHANGES = {
    TableChange.CLUSTER_ON: _SUE,
    TableChange.ENABLE_TRIGGER: _SRE,
    TableChange.DISABLE_TRIGGER: _SRE,
}
_COPYING = frozenset(
    (
        TableChange.SET_LOGGED,
        TableChange.SET_UNLOGGED,
        TableChange.SET_TABLESPACE,
        TableChange.SET_ACCESS_METHOD,
    )
)


def _alter_relation(action: AlterRelation, server: Server, found: Effects) -> None:
    if action.kind == "index":
        index = server.schema.indexes.get(action.table)
        if action.change is TableChange.SET_TABLESPACE:
            found.rewrites.add(action.table)
        elif index and action.change is TableChange.ATTACH_INDEX:
            found.lock([index.table], Lock.ACCESS_SHARE)
        return
    if action.change is TableChange.SET_OPTIONS:
        strong = "user_catalog_table" in (action.argument or "") or action.kind == "view"
        found.lock([action.table], _AEL if strong else _SUE)
        return
    found.lock([action.table], _WEAK_CHANGES.get(action.change, _AEL))
    if action.change is TableChange.INHERIT:
        found.lock([action.argument or ""], _SUE)
    elif action.change is TableChange.NO_INHERIT:
        found.lock([action.argument or ""], Lock.ACCESS_SHARE)
    elif action.change in _COPYING and not is_no_move(action, server.schema):
        found.rewrites.add(action.table)


def is_no_move(action: AlterRelation, schema: Schema) -> bool:
    """Whether the relation is known to be where it is sent, or to have no rows of its own."""
    known = schema.table(action.table)
    if known is None:
        return False
    if action.change is TableChange.SET_LOGGED:
        return known.persistence == "permanent" and known.complete
    if action.change is TableChange.SET_UNLOGGED:
        return known.persistence == "unlogged"
    if action.change is TableChange.SET_ACCESS_METHOD and action.argument == (known.access_method or "heap"):
        return True
    return known.partition_strategy is not None  # a partitioned table has no rows of its own


def _create_index(action: CreateIndex, server: Server, found: Effects) -> None:
    below = [] if action.only else server.schema.partitions(action.table)
    found.lock([action.table, *below], _SUE if action.concurrently else Lock.SHARE)
    exists = action.if_not_exists and beside(action.table, action.name or "") in server.schema.indexes
    empty = action.only and server.schema.is_partitioned(action.table)
    found.builds_index |= not exists and not empty


def _reindex(action: Reindex, server: Server, found: Effects) -> None:
    mode = _SUE if action.concurrently else Lock.SHARE
    found.builds_index = True
    if action.scope == "table":
        found.lock(family(action.name, server), mode)
    elif action.scope in ("schema", "database", "system"):
        within = f"{action.name}." if action.scope == "schema" and action.name != "public" else ""
        public = action.scope == "schema" and not within
        names = [name for name in server.schema.tables if name.startswith(within) and not (public and "." in name)]
        found.lock(names, mode)
    elif action.scope == "index" and action.name in server.schema.indexes:
        found.lock([server.schema.indexes[action.name].table], mode)


_RELATIONS = frozenset(("table", "foreign_table", "matview", "view"))
_RELATION_PARTS = frozenset(("column", "tabconstraint", "trigger", "policy", "rule"))


def _drop(action: Drop, server: Server, found: Effects) -> None:
    schema = server.schema
    if action.table:
        found.lock([action.table], _AEL)
    elif action.kind == "index":
        index = schema.indexes.get(action.name)
        found.lock([index.table] if index else [], _SUE if action.concurrently else _AEL)
    elif action.kind in _RELATIONS:
        found.lock([action.name, *schema.partitions(action.name)], _AEL)
        found.lock([below for name in schema.referenced(action.name) for below in family(name, server)], _AEL)
        known = schema.table(action.name)
        if known and known.parent:
            default = schema.default_partition(known.parent)
            found.lock([known.parent, *([default] if default else [])], _AEL)
        if action.cascade:
            found.lock([*schema.descendants(action.name), *schema.referencing(action.name)], _AEL)
            found.lock([name for name, view in schema.views.items() if action.name in view.sources], _AEL)
    elif action.cascade and action.kind in ("type", "domain", "extension"):
        found.lock([table for table, _ in schema.using_type(action.name)], _AEL)
        found.lock(_typed(action.name, schema), _AEL)
    elif action.cascade and action.kind in ("function", "procedure", "routine"):
        found.lock(
            [
                name
                for name, table in schema.tables.items()
                if any(trigger.function == action.name for trigger in table.triggers.values())
            ],
            _AEL,
        )


def _rename(action: Rename, server: Server, found: Effects) -> None:
    if action.relation and action.kind in _RELATION_PARTS:
        recurses = action.kind in ("column", "tabconstraint")
        found.lock(reached(action.relation, server) if recurses else [action.relation], _AEL)
    elif action.kind == "attribute" and action.relation:
        found.lock(_typed(action.relation, server.schema), _AEL)
    elif action.kind in _RELATIONS and action.old not in server.schema.indexes:
        found.lock([action.old], _AEL)


def _set_schema(action: SetSchema, server: Server, found: Effects) -> None:
    if action.kind in _RELATIONS:
        found.lock([action.name], _AEL)


def _truncate(action: Truncate, server: Server, found: Effects) -> None:
    emptied = {name for table in action.tables for name in reached(table, server)}
    while action.cascade:
        more = {name for table in emptied for name in server.schema.referencing(table)} - emptied
        if not more:
            break
        emptied |= more
    found.lock(emptied, _AEL)
    found.rewrites.update(emptied)


def _lock_table(action: LockTable, server: Server, found: Effects) -> None:
    for table in action.tables:
        found.lock(reached(table, server), Lock(action.mode))


def _write(action: Write, server: Server, found: Effects) -> None:
    found.lock([action.table], Lock.ROW_EXCLUSIVE)
    found.lock(action.sources, Lock.ACCESS_SHARE)
    found.reads_data = True


def _read(action: Read, server: Server, found: Effects) -> None:
    tables = [each for table in action.tables for each in reached(table, server)]
    found.lock(tables, Lock.ROW_SHARE if action.locks_rows else Lock.ACCESS_SHARE)
    found.reads_data |= bool(action.tables)


def _create_table(action: CreateTable, server: Server, found: Effects) -> None:
    for constraint in action.constraints:
        if constraint.references and constraint.references != action.table:
            found.lock([constraint.references], _SRE)
    if action.parent:
        found.lock([action.parent], _AEL)
        default = server.schema.default_partition(action.parent)
        found.lock([default] if default else [], _AEL)
        found.lock(server.schema.referencing(action.parent), _SRE)
    found.lock(action.like, Lock.ACCESS_SHARE)
    found.lock(action.inherits, _SUE)


def _create_table_as(action: CreateTableAs, server: Server, found: Effects) -> None:
    found.lock(action.sources, Lock.ACCESS_SHARE)
    found.reads_data = action.with_data and bool(action.sources)


def _create_view(action: CreateView, server: Server, found: Effects) -> None:
    found.lock(action.sources, Lock.ACCESS_SHARE)
    if action.replace and action.name in server.schema.views:
        found.lock([action.name], _AEL)


def _refresh(action: RefreshMatview, server: Server, found: Effects) -> None:
    found.lock([action.name], Lock.EXCLUSIVE if action.concurrently else _AEL)
    view = server.schema.views.get(action.name)
    found.lock(view.sources if view and action.with_data else (), Lock.ACCESS_SHARE)
    found.reads_data = action.with_data
    if not action.concurrently:
        found.rewrites.add(action.name)


def _alter_domain(action: AlterDomain, server: Server, found: Effects) -> None:
    if action.change in ("add constraint", "set not null") and action.valid:
        tables = [table for table, _ in server.schema.using_type(action.name)]
        found.lock(tables, Lock.SHARE)
        found.scans |= bool(tables)


def _alter_composite(action: AlterComposite, server: Server, found: Effects) -> None:
    if action.cascade:
        typed = _typed(action.type, server.schema)
        found.lock(typed, _AEL)
        found.rewrites.update(typed if action.change == "ALTER" else ())


def _typed(name: str, schema: Schema) -> list[str]:
    """Give the tables made ``OF`` a composite type."""
    return [table for table, known in schema.tables.items() if known.of_type == name]


def _create_trigger(action: CreateTrigger, server: Server, found: Effects) -> None:
    found.lock(family(action.table, server), _SRE)


def _on_table(mode: Lock) -> Callable[[Action, Server, Effects], None]:
    """Give a handler for an action that does nothing but lock its table."""

    def handle(action: Action, server: Server, found: Effects) -> None:
        table: str | None = getattr(action, "table", None)
        found.lock([table] if table else [], mode)

    return handle


def _authorise(action: Authorise, server: Server, found: Effects) -> None:
    if action.kind == "table" and server.version >= 18 and action.verb in ("grant", "revoke"):
        found.lock(action.objects, Lock.ACCESS_SHARE)


def _maintain(action: Maintain, server: Server, found: Effects) -> None:
    moves = action.full or action.verb == "cluster"
    found.lock(action.tables, _AEL if moves else _SUE)
    found.reads_data = True
    if moves:
        found.rewrites.update(action.tables or ("every table",))


def _publication(action: ChangePublication, server: Server, found: Effects) -> None:
    found.lock(action.tables, _SUE)


def _sequence(action: SetSequence, server: Server, found: Effects) -> None:
    found.lock([action.owned_by] if action.owned_by else [], Lock.ACCESS_SHARE)


_HANDLERS: dict[type[Action], Callable[..., None]] = {
    AddColumn: _add_column,
    AddConstraint: _add_constraint,
    AlterColumn: _alter_column,
    AlterComposite: _alter_composite,
    AlterConstraint: _alter_constraint,
    AlterDomain: _alter_domain,
    AlterRelation: _alter_relation,
    AttachPartition: _attach_partition,
    Authorise: _authorise,
    ChangePublication: _publication,
    ChangeType: _change_type,
    Comment: _on_table(_SUE),
    CreateIndex: _create_index,
    CreateRule: _on_table(_AEL),
    CreateStatistics: _on_table(_SUE),
    CreateTable: _create_table,
    CreateTableAs: _create_table_as,
    CreateTrigger: _create_trigger,
    CreateView: _create_view,
    DetachPartition: _detach_partition,
    Drop: _drop,
    DropColumn: _drop_column,
    DropConstraint: _drop_constraint,
    LockTable: _lock_table,
    Maintain: _maintain,
    Read: _read,
    RefreshMatview: _refresh,
    Reindex: _reindex,
    Rename: _rename,
    SetPolicy: _on_table(_AEL),
    SetSchema: _set_schema,
    SetSequence: _sequence,
    Truncate: _truncate,
    ValidateConstraint: _validate_constraint,
    Write: _write,
}
