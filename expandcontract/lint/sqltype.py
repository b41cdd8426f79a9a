"""A column's type as written: name, modifiers, array dimensions."""

from __future__ import annotations

from typing import Any, NamedTuple

from expandcontract.lint.identifier import qualified, strings

_SPELLING = {
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "bpchar": "char",
    "char": '"char"',
    "timetz": "time with time zone",
}
_SAME = {
    "int": "int4",
    "integer": "int4",
    "bigint": "int8",
    "smallint": "int2",
    "boolean": "bool",
    "decimal": "numeric",
}
_SERIAL = {
    "serial": "int4",
    "serial4": "int4",
    "bigserial": "int8",
    "serial8": "int8",
    "smallserial": "int2",
    "serial2": "int2",
}
_EVERY_INTERVAL_FIELD = 0x7FFF  # the first modifier of interval(p): no field is left out


class SqlType(NamedTuple):
    """A type: the catalogue's short name (``int4``), or ``schema.name`` for a type of the user's."""

    name: str
    modifiers: tuple[int, ...] = ()
    dimensions: int = 0

    @property
    def serial(self) -> bool:
        """Whether this is one of the serial pseudo-types."""
        return self.name in _SERIAL

    @property
    def stored(self) -> SqlType:
        """The type that the column really gets: the integer under a serial."""
        return SqlType(_SERIAL[self.name]) if self.serial else self

    def __str__(self) -> str:
        shown = _SPELLING.get(self.name, self.name)
        modifiers = self.modifiers[1:] if self.name == "interval" else self.modifiers
        if modifiers:
            shown += "(" + ",".join(str(modifier) for modifier in modifiers) + ")"
        return shown + "[]" * self.dimensions


def read_type(node: dict[str, Any]) -> SqlType:
    """Give the type that a TypeName node names."""
    parts = strings(node.get("names", ()))
    if len(parts) > 1 and parts[0] == "pg_catalog":
        parts = parts[1:]
    name = parts[0] if len(parts) == 1 and parts[0].isidentifier() else qualified(parts)
    modifiers = tuple(_integer(each) for each in node.get("typmods", ()))
    if modifiers == (_EVERY_INTERVAL_FIELD,):
        modifiers = ()
    return SqlType(_SAME.get(name, name), modifiers, len(node.get("arrayBounds", ())))


def _integer(node: dict[str, Any]) -> int:
    constant = node.get("A_Const", {})
    number: int = constant.get("ival", {}).get("ival", 0)
    return number
