"""CREATE TABLE and what stands inside it: columns, constraints, partition bounds."""

from __future__ import annotations

from typing import Any

from expandcontract.lint.expression import Expression, relations
from expandcontract.lint.identifier import of_relation, quoted, strings
from expandcontract.lint.sqltype import SqlType, read_type
from expandcontract.lint.statement import (
    Action,
    Bound,
    Column,
    Constraint,
    ConstraintKind,
    CreateTable,
    CreateTableAs,
)

_KINDS = {
    "CONSTR_CHECK": ConstraintKind.CHECK,
    "CONSTR_FOREIGN": ConstraintKind.FOREIGN_KEY,
    "CONSTR_UNIQUE": ConstraintKind.UNIQUE,
    "CONSTR_PRIMARY": ConstraintKind.PRIMARY_KEY,
    "CONSTR_EXCLUSION": ConstraintKind.EXCLUDE,
    "CONSTR_NOTNULL": ConstraintKind.NOT_NULL,
}
_PERSISTENCE = {"p": "permanent", "u": "unlogged", "t": "temporary"}
_STRATEGIES = {
    "PARTITION_STRATEGY_RANGE": "range",
    "PARTITION_STRATEGY_LIST": "list",
    "PARTITION_STRATEGY_HASH": "hash",
    "r": "range",
    "l": "list",
    "h": "hash",
}


def create_table(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read CREATE TABLE, also as a partition, of a type, or foreign."""
    elements = body.get("tableElts", ())
    columns = tuple(read_column(each["ColumnDef"]) for each in elements if "ColumnDef" in each)
    inline = tuple(constraint for column in columns for constraint in column.constraints)
    own = tuple(read_constraint(each["Constraint"]) for each in elements if "Constraint" in each)
    above = tuple(of_relation(each["RangeVar"]) for each in body.get("inhRelations", ()))
    bound = read_bound(body["partbound"]) if "partbound" in body else None
    partition = body.get("partspec", {})
    return (
        CreateTable(
            at,
            table=of_relation(body["relation"]),
            columns=columns,
            constraints=inline + own,
            if_not_exists=body.get("if_not_exists", False),
            persistence=_PERSISTENCE.get(body["relation"].get("relpersistence", "p"), "permanent"),
            parent=above[0] if bound and above else None,
            bound=bound,
            partition_strategy=_STRATEGIES.get(partition.get("strategy", "")),
            partition_key=tuple(_key_part(each["PartitionElem"]) for each in partition.get("partParams", ())),
            inherits=() if bound else above,
            like=tuple(
                of_relation(each["TableLikeClause"]["relation"]) for each in elements if "TableLikeClause" in each
            ),
            of_type=read_type(body["ofTypename"]).name if "ofTypename" in body else None,
        ),
    )


def create_table_as(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read CREATE TABLE AS and CREATE MATERIALIZED VIEW."""
    return (
        _table_as(
            body["query"],
            body["into"],
            at,
            materialized=body.get("objtype") == "OBJECT_MATVIEW",
            if_not_exists=body.get("if_not_exists", False),
        ),
    )


def select_into(body: dict[str, Any], at: int) -> CreateTableAs:
    """Read SELECT … INTO, which is a CREATE TABLE AS."""
    query = {key: value for key, value in body.items() if key != "intoClause"}
    return _table_as({"SelectStmt": query}, body["intoClause"], at, materialized=False, if_not_exists=False)


def _table_as(
    query: dict[str, Any], into: dict[str, Any], at: int, *, materialized: bool, if_not_exists: bool
) -> CreateTableAs:
    return CreateTableAs(
        at,
        table=of_relation(into["rel"]),
        query=Expression(query),
        sources=tuple(relations(query)),
        if_not_exists=if_not_exists,
        temporary=into["rel"].get("relpersistence") == "t",
        materialized=materialized,
        with_data=not into.get("skipData", False),
    )


def _key_part(element: dict[str, Any]) -> str:
    return quoted(element["name"]) if "name" in element else ""


def read_bound(node: dict[str, Any]) -> Bound:
    """Read FOR VALUES …; a bound's values stay comparable Python values."""
    return Bound(
        is_default=node.get("is_default", False),
        strategy=_STRATEGIES.get(node.get("strategy", ""), ""),
        lower=tuple(_datum(each) for each in node.get("lowerdatums", ())),
        upper=tuple(_datum(each) for each in node.get("upperdatums", ())),
        values=tuple(_datum(each) for each in node.get("listdatums", ())),
    )


def _datum(node: dict[str, Any]) -> Any:
    value = Expression(node)
    names = value.columns()
    return names.pop().upper() if names else value.constant


def read_column(node: dict[str, Any]) -> Column:
    """Read one column's declaration."""
    name = quoted(node.get("colname", ""))
    facts: dict[str, Any] = {}
    constraints = []
    for each in node.get("constraints", ()):
        body = each["Constraint"]
        kind = body["contype"]
        if kind == "CONSTR_DEFAULT":
            facts["default"] = Expression(body["raw_expr"])
        elif kind == "CONSTR_IDENTITY":
            facts["identity"] = facts["not_null"] = True
        elif kind == "CONSTR_GENERATED":
            facts["generated"] = "stored" if body.get("generated_kind") == "s" else "virtual"
            facts["generation"] = Expression(body["raw_expr"])
        elif kind == "CONSTR_NOTNULL":
            facts["not_null"] = True
        elif kind in _KINDS:
            constraints.append(read_constraint(body, inline=name))
    declared = read_type(node["typeName"]) if "typeName" in node else SqlType("")
    return Column(
        name,
        declared,
        not_null=facts.pop("not_null", False) or declared.serial or _is_key(constraints),
        constraints=tuple(constraints),
        collation=collation(node),
        compression="compression" in node,
        storage="storage_name" in node,
        at=node.get("location", 0),
        **facts,
    )


def collation(definition: dict[str, Any]) -> str | None:
    """Give the collation that a column's definition names; None means its type's own."""
    name = strings(definition["collClause"]["collname"])[-1] if "collClause" in definition else None
    return None if name == "default" else name


def _is_key(constraints: list[Constraint]) -> bool:
    return any(each.kind is ConstraintKind.PRIMARY_KEY for each in constraints)


def read_constraint(body: dict[str, Any], *, inline: str | None = None) -> Constraint:
    """Read a constraint; ``inline`` is the column that it is written on."""
    kind = _KINDS[body["contype"]]
    expression = Expression(body["raw_expr"]) if "raw_expr" in body else None
    named = "fk_attrs" if kind is ConstraintKind.FOREIGN_KEY else "keys"
    columns = tuple(quoted(each) for each in strings(body.get(named, ())))
    if inline:
        columns = (inline,)
    elif kind is ConstraintKind.CHECK and expression:
        columns = tuple(sorted(expression.columns()))
    return Constraint(
        kind,
        quoted(body["conname"]) if "conname" in body else None,
        columns,
        expression=expression,
        references=of_relation(body["pktable"]) if "pktable" in body else None,
        referenced_columns=tuple(quoted(each) for each in strings(body.get("pk_attrs", ()))),
        valid=not body.get("skip_validation", False),
        enforced=body.get("is_enforced", False) or kind in _ALWAYS_ENFORCED,
        inherited=not body.get("is_no_inherit", False),
        using_index=quoted(body["indexname"]) if "indexname" in body else None,
        nulls_not_distinct=body.get("nulls_not_distinct", False),
        without_overlaps=body.get("without_overlaps", False) or body.get("fk_with_period", False),
        at=body.get("location", 0),
    )


_ALWAYS_ENFORCED = frozenset((ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY, ConstraintKind.EXCLUDE))
