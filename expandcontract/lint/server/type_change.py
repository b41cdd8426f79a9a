"""
What ALTER COLUMN TYPE does to the rows, from the old and the new type.

Follows ATColumnChangeRequiresRewrite in the server's tablecmds.c: nothing moves when the new value has the
old one's bytes, that is for a binary coercible cast and for a length that can't cut anything off.
https://www.postgresql.org/docs/current/sql-altertable.html, SET DATA TYPE.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from expandcontract.lint.expression import Expression
from expandcontract.lint.identifier import quoted, strings
from expandcontract.lint.schema import Schema
from expandcontract.lint.sqltype import SqlType, read_type
from expandcontract.lint.value import Value

_TEXTS = frozenset(("text", "varchar", "citext"))
_OBJECT_IDS = frozenset(
    [
        "oid",
        "regclass",
        "regcollation",
        "regconfig",
        "regdictionary",
        "regnamespace",
        "regoper",
        "regoperator",
        "regproc",
        "regprocedure",
        "regrole",
        "regtype",
        "int4",
    ]
)
# (from, to) that share their bytes: pg_cast where castmethod is 'b', besides texts and object identifiers
_SAME_BYTES = frozenset(
    (
        ("cidr", "inet"),
        ("xml", "text"),
        ("xml", "varchar"),
        ("xml", "bpchar"),
        ("text", "bpchar"),
        ("varchar", "bpchar"),
        ("citext", "bpchar"),
        ("bit", "varbit"),
        ("varbit", "bit"),
        ("pg_node_tree", "text"),
    )
)
_SUBSECONDS = frozenset(("timestamp", "timestamptz", "time", "timetz"))
_FULL_PRECISION = 6
_SECOND = 1 << 12  # the bit of SECOND in interval's first modifier
_WITHOUT_ZONE_COST_FROM = 12  # timestamp and timestamptz coincide in a session that runs in UTC


class Conversion(Value):
    """What converting one column's values takes."""

    rewrites: bool
    narrows: bool = False  # a value may be cut off or rejected
    changes_order: bool = False  # the type's operators change, so indexes on the column are rebuilt


def convert(
    old: SqlType,
    new: SqlType,
    using: Expression | None,
    *,
    schema: Schema,
    version: int,
    time_zone: str | None,
) -> Conversion:
    """Give what the change from the old type to the new one does; ``time_zone`` None means unknown."""
    steps = _steps(old, new, using)
    if steps is None:
        return Conversion(rewrites=True)
    conversions = [_step(before, after, schema, version, time_zone) for before, after in pairwise(steps)]
    return Conversion(
        rewrites=any(each.rewrites for each in conversions),
        narrows=any(each.narrows for each in conversions),
        changes_order=_family(old, schema) != _family(new, schema),
    )


def _steps(old: SqlType, new: SqlType, using: Expression | None) -> list[SqlType] | None:
    """Give the types that a value goes through; None where USING is more than casts of the column."""
    casts: list[SqlType] = []
    node: dict[str, Any] = using.node if using else {}
    while "TypeCast" in node:
        casts.append(read_type(node["TypeCast"]["typeName"]))
        node = node["TypeCast"]["arg"]
    if using and "ColumnRef" not in node:
        return None
    return [old, *reversed(casts), new]


def is_plain_cast(using: Expression | None, column: str) -> bool:
    """Whether USING is nothing but the column, cast or not."""
    node = using.node if using else {}
    while "TypeCast" in node:
        node = node["TypeCast"]["arg"]
    return [quoted(name) for name in strings(node.get("ColumnRef", {}).get("fields", ()))][-1:] in (
        [],
        [column],
    )


def _base(given: SqlType, schema: Schema) -> SqlType:
    domain = schema.domains.get(given.name)
    return domain.type if domain and not given.dimensions else given


def _family(given: SqlType, schema: Schema) -> str:
    """Give the name of the operators that an index on the type uses; varchar uses those of text."""
    base = _base(given, schema)
    families = {"varchar": "text", "cidr": "inet"}
    return families.get(base.name, base.name) + "[]" * base.dimensions


def _step(old: SqlType, new: SqlType, schema: Schema, version: int, time_zone: str | None) -> Conversion:
    if old == new:
        return Conversion(rewrites=False)
    domain = schema.domains.get(new.name)
    if domain and domain.constrained and not new.dimensions:
        return Conversion(rewrites=True, narrows=True)
    # a column of a domain has no length of its own: whoever converts it can't know that the domain's was kept to
    old = _base(old, schema)._replace(modifiers=()) if old.name in schema.domains else old
    new = _base(new, schema)
    if old == new:
        return Conversion(rewrites=False)
    if old.dimensions or new.dimensions:
        unlimited = old.name == new.name and old.dimensions > 0 < new.dimensions and not new.modifiers
        return Conversion(rewrites=not unlimited, narrows=not unlimited)
    if old.name == new.name:
        return _length(old, new)
    if {old.name, new.name} == {"timestamp", "timestamptz"}:
        free = version >= _WITHOUT_ZONE_COST_FROM and (time_zone or "").upper() in _UTC
        free = free and new.modifiers in ((), (_FULL_PRECISION,))
        return Conversion(rewrites=not free)
    if old.name in _OBJECT_IDS and new.name in _OBJECT_IDS:
        return Conversion(rewrites=False)
    texts = old.name in _TEXTS and new.name in _TEXTS
    if not texts and (old.name, new.name) not in _SAME_BYTES:
        return Conversion(rewrites=True)
    return _length(SqlType(new.name, old.modifiers if {old.name, new.name} <= {"varchar"} else ()), new)


_UTC = frozenset(("UTC", "ETC/UTC", "GMT", "ETC/GMT", "UCT", "ZULU"))


def _length(old: SqlType, new: SqlType) -> Conversion:
    """Compare the modifiers of one type: what a longer one costs, and a shorter one."""
    before, after = old.modifiers, new.modifiers
    if before == after or (not after and new.name not in ("bit",)):
        return Conversion(rewrites=False)
    if new.name in ("varchar", "varbit"):
        wider = bool(before) and after[0] >= before[0]
    elif new.name == "numeric":
        wider = bool(before) and _scale(after) == _scale(before) and after[0] >= before[0]
    elif new.name == "interval":
        wider = _interval_is_wider(before, after)
    elif new.name in _SUBSECONDS:
        wider = after[0] >= (before[0] if before else _FULL_PRECISION)
    else:  # char(n) and bit(n) are padded or cut to their length, and nobody looks whether they need to be
        return Conversion(rewrites=True, narrows=not before or before[:1] > after[:1])
    return Conversion(rewrites=not wider, narrows=not wider)


def _scale(modifiers: tuple[int, ...]) -> int:
    return modifiers[1] if len(modifiers) > 1 else 0


def _interval_is_wider(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Only what lies below the smallest field is cut off, so ``day to second`` loses nothing."""
    keeps_seconds = bool(after[0] & _SECOND)
    if not keeps_seconds and before[:1] != after[:1]:
        return False
    new = after[1] if len(after) > 1 else _FULL_PRECISION
    old = before[1] if len(before) > 1 else _FULL_PRECISION
    return new >= old
