"""The values that rows get which the models say nothing of: what the code gives, or what is empty."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from expandcontract.alembic_bridge.authoring.autogenerate.surroundings import literal

_EMPTY: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (postgresql.JSONB, "'{}'"),
    (sa.JSON, "'{}'"),
    (sa.ARRAY, "'{}'"),
    (sa.Boolean, "false"),
    (sa.Integer, "0"),
    (sa.Numeric, "0"),
    (sa.String, "''"),
    (sa.DateTime, "now()"),
    (sa.Date, "current_date"),
    (sa.LargeBinary, "''"),
    (sa.Interval, "'0'"),
)


def default_of_the_code(column: sa.Column[Any]) -> str | None:
    """What new code gives where it is told nothing (``default=``), as SQL; None where only Python knows."""
    default = column.default
    if isinstance(default, sa.ColumnDefault):
        if default.is_scalar:
            return literal(default.arg, column.type)
        if default.is_clause_element:
            dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
            return str(default.arg.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    return None


def empty_value(type_: TypeEngine[Any]) -> str | None:
    """A value that says nothing, as SQL; an enum's first one; None for a type that has none such."""
    if isinstance(type_, sa.Enum):
        return literal(type_.enums[0], sa.String()) if type_.enums else None
    return next((value for kind, value in _EMPTY if isinstance(type_, kind)), None)
