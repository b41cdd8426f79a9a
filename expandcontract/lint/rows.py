"""Which rows a data statement touches: all, a bounded part of the key, or however many there happen to be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from expandcontract.lint.expression import Comparison, Expression, walk
from expandcontract.lint.schema import Schema
from expandcontract.lint.statement import ConstraintKind, Write

_USUAL_KEYS = frozenset(("id", "uuid", "guid", "pk", "ctid"))


def touches_every_row(action: Write) -> bool:
    """Whether no WHERE, or one that is always true, limits the statement."""
    return action.where is None or action.where.truth() is True


def is_keyed(action: Write, schema: Schema) -> bool:
    """Whether the WHERE holds the statement to a bounded part of the table's key."""
    if action.where is None:
        return False
    if action.where.truth() is False:
        return True
    keys = _key_columns(action.table, schema)
    comparisons = [each for part in action.where.conjuncts() if (each := part.comparison())]
    if any(_bounds(each, keys) for each in comparisons):
        return True
    if action.limited and any(each.column in keys and each.is_equality for each in comparisons):
        return True  # joined by its key with a batch that a LIMIT cuts off
    return any(_is_limited_list(part, keys, action.limited) for part in action.where.conjuncts())


def _key_columns(table: str, schema: Schema) -> frozenset[str]:
    """Give the leading columns of the table's unique keys; else the usual names of keys."""
    known = schema.table(table)
    unique = {index.columns[0] for index in schema.indexes_of(table) if index.unique and not index.partial}
    if known:
        unique |= {
            each.columns[0]
            for each in known.constraints.values()
            if each.kind is ConstraintKind.PRIMARY_KEY and each.columns
        }
    found = {column for column in unique if column}
    if found:
        return frozenset(found | {"ctid"})
    bare = table.rsplit(".", 1)[-1].strip('"')
    return _USUAL_KEYS | {f"{bare}_id", f"{bare.removesuffix('s')}_id"}


def _bounds(comparison: Comparison, keys: Iterable[str]) -> bool:
    if comparison.column is None or comparison.column not in keys or not _is_constant(comparison.right):
        return False
    return comparison.is_equality or comparison.kind == "AEXPR_BETWEEN" or comparison.operator in ("<", "<=")


def _is_constant(node: Any) -> bool:
    return not any(tag in ("ColumnRef", "SubLink") for tag, _ in walk({"value": node}))


def _is_limited_list(part: Expression, keys: Iterable[str], limited: bool) -> bool:
    """Whether it is ``key IN (SELECT … LIMIT n)``, where the LIMIT may stand in a WITH."""
    link = part.node.get("SubLink")
    if not link or "testexpr" not in link:
        return False
    tested = Expression(link["testexpr"]).columns()
    within = any("limitCount" in body for tag, body in walk(link) if tag == "SelectStmt")
    return bool(tested & set(keys)) and (within or limited)
