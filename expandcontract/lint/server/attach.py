"""
Whether a partition's CHECK constraints prove that its rows fit the bound, so that ATTACH needn't read them.

https://www.postgresql.org/docs/current/sql-altertable.html, ATTACH PARTITION.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from expandcontract.lint.expression import Comparison, Expression
from expandcontract.lint.known import KnownTable
from expandcontract.lint.schema import Schema
from expandcontract.lint.statement import AttachPartition, Bound

_UNBOUNDED = ("MINVALUE", "MAXVALUE")


def bound_is_proven(action: AttachPartition, schema: Schema) -> bool:
    """Whether the known constraints of the partition imply the bound; False where too little is known."""
    partition, parent = schema.table(action.partition), schema.table(action.table)
    if partition is None or parent is None or len(parent.partition_key) != 1 or action.bound.is_default:
        return False
    column = parent.partition_key[0]
    parts = [part for _, check in partition.valid_checks() for part in check.conjuncts()]
    comparisons = [each for part in parts if (each := part.comparison()) and each.column == column]
    if not _is_not_null(partition, column, parts):
        return False
    if action.bound.strategy == "list":
        return _values_are_proven(action.bound, comparisons)
    return action.bound.strategy == "range" and _range_is_proven(action.bound, comparisons)


def _is_not_null(partition: KnownTable, column: str, parts: Iterable[Expression]) -> bool:
    facts = partition.columns.get(column)
    return bool(facts and facts.not_null) or any(part.proves_not_null(column) for part in parts)


def _values_are_proven(bound: Bound, comparisons: Iterable[Comparison]) -> bool:
    return any(
        each.is_equality and (values := _values(each)) and set(values) <= set(bound.values) for each in comparisons
    )


def _values(comparison: Comparison) -> list[Any]:
    right = comparison.right
    if isinstance(right, dict) and "List" in right:
        right = right["List"]["items"]
    nodes = right if isinstance(right, list) else [right]
    return [Expression(node).constant for node in nodes]


def _range_is_proven(bound: Bound, comparisons: Iterable[Comparison]) -> bool:
    lower, upper = bound.lower[0], bound.upper[0]
    from_below = lower in _UNBOUNDED
    from_above = upper in _UNBOUNDED
    for each in comparisons:
        values = _values(each)
        if not values or values[0] is None:
            continue
        if each.kind == "AEXPR_BETWEEN":
            from_below |= _at_least(values[0], lower)
            from_above |= _below(values[-1], upper)
        elif each.operator in (">=", ">", "="):
            from_below |= _at_least(values[0], lower)
        if each.operator == "<":
            from_above |= _at_least(upper, values[0])
        elif each.operator in ("<=", "="):
            from_above |= _below(values[0], upper)
    return from_below and from_above


def _ordered(value: Any) -> Any:
    """Give a constant that sorts as PostgreSQL would: numbers as numbers, dates as times."""
    if isinstance(value, str):
        for convert in (float, lambda text: datetime.combine(date.fromisoformat(text), datetime.min.time())):
            try:
                return convert(value)
            except ValueError:
                continue
    return float(value) if isinstance(value, int) else value


def _at_least(value: Any, limit: Any) -> bool:
    left, right = _ordered(value), _ordered(limit)
    if isinstance(left, str) or type(left) is not type(right):
        return bool(value == limit)
    return bool(left >= right)


def _below(value: Any, limit: Any) -> bool:
    left, right = _ordered(value), _ordered(limit)
    return not isinstance(left, str) and type(left) is type(right) and bool(left < right)
