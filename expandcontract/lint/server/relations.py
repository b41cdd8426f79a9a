"""What making, moving and dropping whole relations makes PostgreSQL do: tables, partitions, indexes, views."""

from __future__ import annotations

from collections.abc import Callable

from expandcontract.lint.known import beside
from expandcontract.lint.schema import Schema
from expandcontract.lint.server.attach import bound_is_proven
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.server.server import AEL, SRE, SUE, Effects, Server, family, reached, typed
from expandcontract.lint.statement import (
    Action,
    AlterRelation,
    AttachPartition,
    CreateIndex,
    CreateTable,
    CreateTableAs,
    CreateTrigger,
    CreateView,
    DetachPartition,
    Drop,
    RefreshMatview,
    Reindex,
    Rename,
    SetSchema,
    TableChange,
    Truncate,
)


def _attach_partition(action: AttachPartition, server: Server, found: Effects) -> None:
    found.lock([action.table], SUE if server.version >= 12 else AEL)
    found.lock(family(action.partition, server), AEL)
    if bound_is_proven(action, server.schema):
        found.proof_used = True
    else:
        found.scans = True
    default = server.schema.default_partition(action.table)
    if default:
        found.lock([default], AEL)
        found.scans = True
    found.lock(server.schema.referencing(action.table), SRE)
    own = {(index.columns, index.unique) for index in server.schema.indexes_of(action.partition)}
    found.builds_index |= any((i.columns, i.unique) not in own for i in server.schema.indexes_of(action.table))


def _detach_partition(action: DetachPartition, server: Server, found: Effects) -> None:
    if action.concurrently or action.finalize:
        found.lock([action.table, action.partition], SUE)
        return
    found.lock([action.table], AEL)
    default = server.schema.default_partition(action.table)
    found.lock([default] if default else [], AEL)
    found.lock(server.schema.referencing(action.table), AEL)
    found.lock(family(action.partition, server), AEL if server.version >= 14 else SUE)


_WEAK_CHANGES = {
    TableChange.CLUSTER_ON: SUE,
    TableChange.ENABLE_TRIGGER: SRE,
    TableChange.DISABLE_TRIGGER: SRE,
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
        found.lock([action.table], AEL if strong else SUE)
        return
    found.lock([action.table], _WEAK_CHANGES.get(action.change, AEL))
    if action.change is TableChange.INHERIT:
        found.lock([action.argument or ""], SUE)
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
    found.lock([action.table, *below], SUE if action.concurrently else Lock.SHARE)
    exists = action.if_not_exists and beside(action.table, action.name or "") in server.schema.indexes
    empty = action.only and server.schema.is_partitioned(action.table)
    found.builds_index |= not exists and not empty


def _reindex(action: Reindex, server: Server, found: Effects) -> None:
    mode = SUE if action.concurrently else Lock.SHARE
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
        found.lock([action.table], AEL)
    elif action.kind == "index":
        index = schema.indexes.get(action.name)
        found.lock([index.table] if index else [], SUE if action.concurrently else AEL)
    elif action.kind in _RELATIONS:
        found.lock([action.name, *schema.partitions(action.name)], AEL)
        found.lock([below for name in schema.referenced(action.name) for below in family(name, server)], AEL)
        known = schema.table(action.name)
        if known and known.parent:
            default = schema.default_partition(known.parent)
            found.lock([known.parent, *([default] if default else [])], AEL)
        if action.cascade:
            found.lock([*schema.descendants(action.name), *schema.referencing(action.name)], AEL)
            found.lock([name for name, view in schema.views.items() if action.name in view.sources], AEL)
    elif action.cascade and action.kind == "schema":
        within = [name for name in (*schema.tables, *schema.views) if name.startswith(f"{action.name}.")]
        found.lock(within, AEL)
        found.lock([other for name in within for other in (*schema.referenced(name), *schema.referencing(name))], AEL)
    elif action.cascade and action.kind in ("type", "domain", "extension"):
        found.lock([table for table, _ in schema.using_type(action.name)], AEL)
        found.lock(typed(action.name, schema), AEL)
    elif action.cascade and action.kind in ("function", "procedure", "routine"):
        found.lock(
            [
                name
                for name, table in schema.tables.items()
                if any(trigger.function == action.name for trigger in table.triggers.values())
            ],
            AEL,
        )


def _rename(action: Rename, server: Server, found: Effects) -> None:
    if action.relation and action.kind in _RELATION_PARTS:
        recurses = action.kind in ("column", "tabconstraint")
        found.lock(reached(action.relation, server) if recurses else [action.relation], AEL)
    elif action.kind == "attribute" and action.relation:
        found.lock(typed(action.relation, server.schema), AEL)
    elif action.kind in _RELATIONS and action.old not in server.schema.indexes:
        found.lock([action.old], AEL)


def _set_schema(action: SetSchema, server: Server, found: Effects) -> None:
    if action.kind in _RELATIONS:
        found.lock([action.name], AEL)


def _truncate(action: Truncate, server: Server, found: Effects) -> None:
    emptied = {name for table in action.tables for name in reached(table, server)}
    while action.cascade:
        more = {name for table in emptied for name in server.schema.referencing(table)} - emptied
        if not more:
            break
        emptied |= more
    found.lock(emptied, AEL)
    found.rewrites.update(emptied)


def _create_table(action: CreateTable, server: Server, found: Effects) -> None:
    for constraint in action.constraints:
        if constraint.references and constraint.references != action.table:
            found.lock([constraint.references], SRE)
    if action.parent:
        found.lock([action.parent], AEL)
        default = server.schema.default_partition(action.parent)
        found.lock([default] if default else [], AEL)
        found.lock(server.schema.referencing(action.parent), SRE)
    found.lock(action.like, Lock.ACCESS_SHARE)
    found.lock(action.inherits, SUE)


def _create_table_as(action: CreateTableAs, server: Server, found: Effects) -> None:
    found.lock(action.sources, Lock.ACCESS_SHARE)
    found.reads_data = action.with_data and bool(action.sources)


def _create_view(action: CreateView, server: Server, found: Effects) -> None:
    found.lock(action.sources, Lock.ACCESS_SHARE)
    if action.replace and action.name in server.schema.views:
        found.lock([action.name], AEL)


def _refresh(action: RefreshMatview, server: Server, found: Effects) -> None:
    found.lock([action.name], Lock.EXCLUSIVE if action.concurrently else AEL)
    view = server.schema.views.get(action.name)
    found.lock(view.sources if view and action.with_data else (), Lock.ACCESS_SHARE)
    found.reads_data = action.with_data
    if not action.concurrently:
        found.rewrites.add(action.name)


def _create_trigger(action: CreateTrigger, server: Server, found: Effects) -> None:
    found.lock(family(action.table, server), SRE)


HANDLERS: dict[type[Action], Callable[..., None]] = {
    AlterRelation: _alter_relation,
    AttachPartition: _attach_partition,
    CreateIndex: _create_index,
    CreateTable: _create_table,
    CreateTableAs: _create_table_as,
    CreateTrigger: _create_trigger,
    CreateView: _create_view,
    DetachPartition: _detach_partition,
    Drop: _drop,
    RefreshMatview: _refresh,
    Reindex: _reindex,
    Rename: _rename,
    SetSchema: _set_schema,
    Truncate: _truncate,
}
