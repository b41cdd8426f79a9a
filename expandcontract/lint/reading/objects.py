"""Indexes, types, views, functions, triggers and the rest of the catalogue: create, drop, rename, move."""

from __future__ import annotations

from typing import Any

from expandcontract.lint.expression import Expression, relations
from expandcontract.lint.identifier import of_relation, qualified, quoted, strings
from expandcontract.lint.reading.tables import read_column
from expandcontract.lint.sqltype import read_type
from expandcontract.lint.statement import (
    Action,
    AddEnumValue,
    AlterDomain,
    ChangePublication,
    Comment,
    CreateDomain,
    CreateFunction,
    CreateIndex,
    CreateRule,
    CreateSchema,
    CreateStatistics,
    CreateTrigger,
    CreateType,
    CreateView,
    Drop,
    Reindex,
    Rename,
    SetExtension,
    SetPolicy,
    SetSchema,
    SetSequence,
)

_ON_TABLE = frozenset(("trigger", "policy", "rule"))
_DOMAIN_CHANGES = {
    "C": "add constraint",
    "X": "drop constraint",
    "V": "validate",
    "O": "set not null",
    "N": "drop not null",
    "T": "default",
}


def create_index(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read CREATE INDEX."""
    elements = [each["IndexElem"] for each in body.get("indexParams", ())]
    where = Expression(body["whereClause"]) if "whereClause" in body else None
    read = set(where.columns() if where else ())
    for each in elements:
        if "expr" in each:
            read |= Expression(each["expr"]).columns()
    return (
        CreateIndex(
            at,
            table=of_relation(body["relation"]),
            name=quoted(body["idxname"]) if "idxname" in body else None,
            columns=tuple(quoted(each["name"]) if "name" in each else None for each in elements),
            method=body.get("accessMethod", "btree"),
            unique=body.get("unique", False),
            concurrently=body.get("concurrent", False),
            if_not_exists=body.get("if_not_exists", False),
            only=not body["relation"].get("inh", False),
            included=tuple(quoted(each["IndexElem"].get("name", "")) for each in body.get("indexIncludingParams", ())),
            where=where,
            read=frozenset(read),
            nulls_not_distinct=body.get("nulls_not_distinct", False),
        ),
    )


def reindex(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read REINDEX in both spellings of CONCURRENTLY."""
    scope = body["kind"].removeprefix("REINDEX_OBJECT_").lower()
    name = of_relation(body["relation"]) if "relation" in body else quoted(body.get("name", ""))
    return (Reindex(at, scope, name, option(body.get("params", ()), "concurrently")),)


def option(options: Any, name: str) -> bool:
    """Whether a list of options such as ``(FULL, ANALYZE off)`` switches the named one on."""
    for each in options:
        element = each["DefElem"]
        if element["defname"] == name:
            value = Expression({"A_Const": _as_constant(element["arg"])}).constant if "arg" in element else True
            return str(value).lower() not in ("false", "off", "0")
    return False


def _as_constant(argument: dict[str, Any]) -> dict[str, Any]:
    for tag, field in (("String", "sval"), ("Integer", "ival"), ("Boolean", "boolval")):
        if tag in argument:
            return {field: argument[tag]}
    return {}


def drop(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read DROP, one action for each object."""
    kind = body["removeType"].removeprefix("OBJECT_").lower()
    found = []
    for each in body.get("objects", ()):
        parts = name_parts(each)
        table = qualified(parts[:-1]) if kind in _ON_TABLE and len(parts) > 1 else None
        name = quoted(parts[-1]) if table else qualified(parts)
        found.append(
            Drop(
                at,
                kind,
                name,
                cascade=body.get("behavior") == "DROP_CASCADE",
                if_exists=body.get("missing_ok", False),
                concurrently=body.get("concurrent", False),
                table=table,
            )
        )
    return tuple(found)


def name_parts(node: dict[str, Any]) -> list[str]:
    """Give the parts of an object's name, however the parser wraps it."""
    if "List" in node:
        items = node["List"]["items"]
        return strings(items) or [part for each in items for part in name_parts(each)]
    if "ObjectWithArgs" in node:
        return strings(node["ObjectWithArgs"].get("objname", ()))
    if "TypeName" in node:
        return strings(node["TypeName"].get("names", ()))
    if "String" in node:
        return [node["String"].get("sval", "")]
    return []


def drop_database(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read DROP DATABASE."""
    return (Drop(at, "database", quoted(body["dbname"]), cascade=False, if_exists=body.get("missing_ok", False)),)


def drop_owned(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read DROP OWNED BY."""
    roles = ", ".join(role["RoleSpec"].get("rolename", "current_user") for role in body.get("roles", ()))
    cascade = body.get("behavior") == "DROP_CASCADE"
    return (Drop(at, "owned", roles, cascade=cascade, if_exists=False),)


def rename(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read ALTER … RENAME."""
    kind = body["renameType"].removeprefix("OBJECT_").lower()
    relation = of_relation(body["relation"]) if "relation" in body else None
    new = quoted(body["newname"])
    if "subname" in body:
        return (Rename(at, kind, quoted(body["subname"]), new, relation),)
    old = relation or qualified(name_parts(body["object"]) if "object" in body else [])
    return (Rename(at, kind, old, new),)


def set_schema(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read ALTER … SET SCHEMA."""
    kind = body["objectType"].removeprefix("OBJECT_").lower()
    name = of_relation(body["relation"]) if "relation" in body else qualified(name_parts(body.get("object", {})))
    return (SetSchema(at, kind, name, quoted(body["newschema"])),)


def create_view(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read CREATE VIEW."""
    query = body["query"]
    name = of_relation(body["view"])
    return (CreateView(at, name, body.get("replace", False), Expression(query), tuple(relations(query))),)


def create_trigger(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read CREATE TRIGGER."""
    columns = {quoted(each) for each in strings(body.get("columns", ()))}
    if "whenClause" in body:
        columns |= Expression(body["whenClause"]).columns()
    return (
        CreateTrigger(
            at,
            of_relation(body["relation"]),
            quoted(body["trigname"]),
            body.get("replace", False),
            frozenset(columns),
            qualified(strings(body["funcname"])),
        ),
    )


def create_rule(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read CREATE RULE."""
    named = [Expression({part: body[part]}).columns() for part in ("whereClause", "actions") if part in body]
    table, name = of_relation(body["relation"]), quoted(body["rulename"])
    return (CreateRule(at, table, name, body.get("replace", False), frozenset().union(*named)),)


def create_policy(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read CREATE POLICY."""
    return (_policy(body, at, created=True),)


def alter_policy(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read ALTER POLICY."""
    return (_policy(body, at, created=False),)


def _policy(body: dict[str, Any], at: int, *, created: bool) -> SetPolicy:
    columns = [Expression(body[part]).columns() for part in ("qual", "with_check") if part in body]
    return SetPolicy(at, of_relation(body["table"]), quoted(body["policy_name"]), created, frozenset().union(*columns))


def create_enum(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read CREATE TYPE … AS ENUM."""
    return (CreateType(at, qualified(strings(body["typeName"])), values=tuple(strings(body.get("vals", ())))),)


def create_composite(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read CREATE TYPE … AS (…)."""
    attributes = tuple(read_column(each["ColumnDef"]) for each in body.get("coldeflist", ()))
    return (CreateType(at, of_relation(body["typevar"]), attributes=attributes),)


def create_domain(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read CREATE DOMAIN."""
    kinds = {each["Constraint"]["contype"] for each in body.get("constraints", ())}
    return (
        CreateDomain(
            at,
            qualified(strings(body["domainname"])),
            read_type(body["typeName"]),
            constrained=bool(kinds & {"CONSTR_CHECK", "CONSTR_NOTNULL"}),
            has_default="CONSTR_DEFAULT" in kinds,
        ),
    )


def alter_domain(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read ALTER DOMAIN."""
    constraint = body.get("def", {}).get("Constraint", {})
    name = constraint.get("conname") or body.get("name")
    return (
        AlterDomain(
            at,
            qualified(strings(body["typeName"])),
            _DOMAIN_CHANGES.get(body.get("subtype", ""), "other"),
            valid=not constraint.get("skip_validation", False),
            constraint=quoted(name) if name else None,
        ),
    )


def alter_enum(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read ALTER TYPE … ADD VALUE and RENAME VALUE."""
    name = qualified(strings(body["typeName"]))
    if "oldVal" in body:
        return (Rename(at, "enum value", body["oldVal"], body.get("newVal", ""), name),)
    positioned = "newValNeighbor" in body
    return (AddEnumValue(at, name, body.get("newVal", ""), body.get("skipIfNewValExists", False), positioned),)


def create_sequence(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read CREATE SEQUENCE."""
    return (
        SetSequence(
            at,
            of_relation(body["sequence"]),
            created=True,
            unlogged=body["sequence"].get("relpersistence") == "u",
            if_not_exists=body.get("if_not_exists", False),
        ),
    )


def alter_sequence(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read ALTER SEQUENCE."""
    options = {each["DefElem"]["defname"]: each["DefElem"].get("arg", {}) for each in body.get("options", ())}
    owner = strings(options.get("owned_by", {}).get("List", {}).get("items", ()))
    return (
        SetSequence(
            at,
            of_relation(body["sequence"]),
            created=False,
            restarted="restart" in options,
            owned_by=qualified(owner[:-1]) if len(owner) > 1 else None,
        ),
    )


def create_function(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read CREATE FUNCTION and CREATE PROCEDURE."""
    options = {each["DefElem"]["defname"]: each["DefElem"].get("arg", {}) for each in body.get("options", ())}
    texts = strings(options.get("as", {}).get("List", {}).get("items", ()))
    return (
        CreateFunction(
            at,
            qualified(strings(body["funcname"])),
            language=options.get("language", {}).get("String", {}).get("sval", "sql").lower(),
            volatility=options.get("volatility", {}).get("String", {}).get("sval", "volatile"),
            body=texts[0] if texts else None,
            replace=body.get("replace", False),
            procedure=body.get("is_procedure", False),
        ),
    )


def create_extension(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read CREATE EXTENSION."""
    return (SetExtension(at, quoted(body["extname"]), created=True, if_not_exists=body.get("if_not_exists", False)),)


def alter_extension(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read ALTER EXTENSION … UPDATE."""
    return (SetExtension(at, quoted(body["extname"]), created=False),)


def create_schema(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read CREATE SCHEMA."""
    name = body.get("schemaname") or body.get("authrole", {}).get("rolename", "")
    return (CreateSchema(at, quoted(name), body.get("if_not_exists", False)),)


def publication(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read CREATE and ALTER PUBLICATION."""
    tables = relations([each.get("PublicationObjSpec", {}).get("pubtable", {}) for each in body.get("pubobjects", ())])
    return (ChangePublication(at, quoted(body["pubname"]), tuple(tables), created="action" not in body),)


def subscription(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read ALTER SUBSCRIPTION."""
    return (ChangePublication(at, quoted(body["subname"]), (), created=False),)


def comment(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read COMMENT ON."""
    kind = body["objtype"].removeprefix("OBJECT_").lower()
    parts = name_parts(body.get("object", {}))
    if kind in ("column", "tabconstraint", "trigger", "policy", "rule"):
        parts = parts[:-1]
    elif kind not in ("table", "matview", "view"):
        parts = []
    return (Comment(at, kind, qualified(parts) if parts else None),)


def create_statistics(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read CREATE STATISTICS."""
    on_expressions = any("expr" in each.get("StatsElem", {}) for each in body.get("exprs", ()))
    tables = relations(body.get("relations", ()))
    return tuple(CreateStatistics(at, table, on_expressions) for table in tables)
