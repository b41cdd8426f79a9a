"""Types, sequences, functions and schemas; and every DROP, RENAME and SET SCHEMA."""

from __future__ import annotations

from collections.abc import Callable

from expandcontract.lint.known import (
    FRESH_KINDS,
    KnownDomain,
    KnownSchema,
    beside,
)
from expandcontract.lint.statement import (
    Action,
    AlterDomain,
    CreateDomain,
    CreateFunction,
    CreateSchema,
    CreateType,
    Drop,
    Rename,
    SetExtension,
    SetSchema,
    SetSequence,
)

_RELATIONS = frozenset(("table", "foreign_table", "matview", "view"))


def _create_type(schema: KnownSchema, action: CreateType) -> None:
    if action.values is not None:
        schema.enums[action.name] = set(action.values)
    elif action.attributes is not None:
        schema.composites.add(action.name)
    schema.fresh.add(("type", action.name))


def _create_domain(schema: KnownSchema, action: CreateDomain) -> None:
    base = schema.domains.get(action.type.name)
    schema.domains[action.name] = KnownDomain(
        base.type if base else action.type,
        action.constrained or bool(base and base.constrained),
        action.has_default or bool(base and base.has_default),
    )
    schema.fresh.add(("type", action.name))


def _alter_domain(schema: KnownSchema, action: AlterDomain) -> None:
    domain = schema.domains.get(action.name)
    if domain and action.change in ("add constraint", "set not null"):
        domain.constrained = True
    elif domain and action.change == "default":
        domain.has_default = True


def _set_sequence(schema: KnownSchema, action: SetSequence) -> None:
    if action.created and not (action.if_not_exists and action.name in schema.sequences):
        schema.sequences.add(action.name)
        schema.fresh.add(("sequence", action.name))


def _create_function(schema: KnownSchema, action: CreateFunction) -> None:
    if action.name not in schema.functions:
        schema.fresh.add(("function", action.name))
    schema.functions[action.name] = action


def _set_extension(schema: KnownSchema, action: SetExtension) -> None:
    if action.created and action.name not in schema.extensions:
        schema.extensions.add(action.name)
        schema.fresh.add(("extension", action.name))


def _create_schema(schema: KnownSchema, action: CreateSchema) -> None:
    if action.name not in schema.schemas:
        schema.schemas.add(action.name)
        schema.fresh.add(("schema", action.name))


def _drop(schema: KnownSchema, action: Drop) -> None:
    if action.table:
        table = schema.tables.get(action.table)
        if table:
            for kind, known in (("trigger", table.triggers), ("policy", table.policies), ("rule", table.rules)):
                if kind == action.kind:
                    known.pop(action.name, None)
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


def _rename(schema: KnownSchema, action: Rename) -> None:
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


def _set_schema(schema: KnownSchema, action: SetSchema) -> None:
    bare = action.name.rsplit(".", 1)[-1]
    _move(schema, action.kind, action.name, bare if action.schema == "public" else f"{action.schema}.{bare}")


def _move(schema: KnownSchema, kind: str, old: str, new: str) -> None:
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


def _follow_foreign_keys(schema: KnownSchema, old: str, new: str) -> None:
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


def _move_fresh(schema: KnownSchema, kind: str, old: str, new: str) -> None:
    if (kind, old) in schema.fresh:
        schema.fresh.discard((kind, old))
        schema.fresh.add((kind, new))


HANDLERS: dict[type[Action], Callable[..., None]] = {
    AlterDomain: _alter_domain,
    CreateDomain: _create_domain,
    CreateFunction: _create_function,
    CreateSchema: _create_schema,
    CreateType: _create_type,
    Drop: _drop,
    Rename: _rename,
    SetExtension: _set_extension,
    SetSchema: _set_schema,
    SetSequence: _set_sequence,
}
