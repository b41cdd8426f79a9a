"""
Whether a default has one value for a whole statement, or a new one for each row.

Since PostgreSQL 11 a default that isn't volatile is stored once in the catalogue instead of in every row:
https://www.postgresql.org/docs/current/sql-altertable.html, ADD COLUMN.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from expandcontract.lint.expression import Expression, walk
from expandcontract.lint.parse import pieces
from expandcontract.lint.schema import Schema
from expandcontract.lint.statement import CreateFunction

_INLINING_FROM = 12  # since then a one-expression SQL function is inlined before its volatility is asked for


@cache
def _steady() -> frozenset[str]:
    """The stable and immutable functions of pg_catalog, from the pg_proc of PostgreSQL 15 to 18."""
    return frozenset(Path(__file__).with_name("steady_functions.txt").read_text().split())


def is_steady_builtin(name: str) -> bool:
    """Whether PostgreSQL brings a function of that name which changes nothing."""
    return name in _steady()


def volatile_functions(expression: Expression, schema: Schema, version: int) -> list[str]:
    """Give the called functions whose result may differ from row to row; unknown ones count as such."""
    return _volatile(expression.functions(), schema, version)


def _volatile(names: Iterable[str], schema: Schema, version: int) -> list[str]:
    return sorted(name for name in names if not _is_steady(name, schema, version))


def _is_steady(name: str, schema: Schema, version: int) -> bool:
    own = schema.functions.get(name)
    if own is None:
        return name in _steady()
    if own.volatility in ("stable", "immutable"):
        return True
    return version >= _INLINING_FROM and _inlines_to_a_steady_expression(own, schema, version)


def _inlines_to_a_steady_expression(function: CreateFunction, schema: Schema, version: int) -> bool:
    if function.language != "sql" or function.body is None:
        return False
    bodies = [piece.tree for piece in pieces(function.body.encode("utf-8", "replace"))]
    if len(bodies) != 1 or bodies[0] is None or "SelectStmt" not in bodies[0]:
        return False
    select = bodies[0]["SelectStmt"]
    if any(select.get(part) for part in ("fromClause", "whereClause", "valuesLists", "withClause", "limitCount")):
        return False
    if any(tag == "SubLink" for tag, _ in walk(select)):
        return False
    called = Expression(select).functions() - {function.name}
    return not _volatile(called, schema, version)
