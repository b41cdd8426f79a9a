"""The objects that a piece of a parse tree names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from expandcontract.domain.footprint import Touched
from expandcontract.lint.expression import function_name, relations, walk
from expandcontract.lint.identifier import qualified, strings

_PART = re.compile(r'"((?:[^"]|"")*)"|([^."]+)')
_REG_TYPES = frozenset(("regclass", "regtype", "regproc", "regprocedure"))
_NAMING = frozenset(("nextval", "setval", "currval", "to_regclass", "pg_get_serial_sequence"))


def object_named(text: str, member: str | None = None) -> Touched:
    """The object that a name means, written as SQL: ``users``, ``app.users``, ``"Users"``."""
    parts = [plain.lower() if plain else quoted.replace('""', '"') for quoted, plain in _PART.findall(text)]
    inner = None if member is None else object_named(member).name
    return Touched(parts[-1] if parts else text, inner, parts[-2] if len(parts) > 1 else None)


def columns_of(table: str, columns: Iterable[str | None]) -> set[Touched]:
    """These columns of a table; the table as a whole for one that is an expression."""
    return {object_named(table, column) for column in columns}


def names_in(node: Any) -> set[Touched]:
    """The types, the functions, and the relations that constants name."""
    found = set()
    for tag, body in walk(node):
        if tag == "FuncCall":
            found.add(object_named(function_name(body)))
    return found | relations_in_text(node) | set(_types(node))


def relations_in_text(node: Any) -> set[Touched]:
    """What stands in constants such as ``nextval('users_id_seq')`` and ``'users'::regclass``."""
    found: set[Touched] = set()
    for tag, body in walk(node):
        if tag == "FuncCall" and function_name(body) in _NAMING:
            found |= set(_constants(body.get("args", ())))
        elif tag == "TypeCast" and strings(body["typeName"].get("names", ()))[-1] in _REG_TYPES:
            found |= set(_constants([body["arg"]]))
    return found


def calls_in(node: Any) -> set[str]:
    """The functions that are called."""
    return {function_name(body) for tag, body in walk(node) if tag == "FuncCall"}


def reads_in(node: Any, own: str | None = None) -> set[Touched]:
    """
    The tables and columns that are read: columns where it is sure whose they are, else tables as a whole.

    Args:
        node: an expression or a query.
        own: the table that a column without a query around it belongs to.
    """
    named = relations(node)
    tables = {object_named(table) for table in named}
    references = [body.get("fields", ()) for tag, body in walk(node) if tag == "ColumnRef"]
    columns = {names[-1] for fields in references if (names := strings(fields))}
    rows = {*_aliases(node), *(str(object_named(table).name) for table in [*named, *([own] if own else [])])}
    takes_rows = bool(columns & rows) or any("A_Star" in field for fields in references for field in fields)
    if own:
        mine = object_named(own)
        return tables | ({mine} if takes_rows else {Touched(mine.name, column, mine.schema) for column in columns})
    if takes_rows or not columns or len(tables) != 1:
        return tables
    (table,) = tables
    return {Touched(table.name, column, table.schema) for column in columns}


def _aliases(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _aliases(each)
    elif isinstance(node, dict):
        if "aliasname" in node:
            yield node["aliasname"]
        for each in node.values():
            yield from _aliases(each)


def _types(node: Any) -> Iterator[Touched]:
    """Types stand in tagged nodes and in plain fields; those of pg_catalog concern nobody."""
    if isinstance(node, list):
        for each in node:
            yield from _types(each)
    elif isinstance(node, dict):
        if "typemod" in node and "names" in node:
            parts = strings(node["names"])
            if parts[0] != "pg_catalog":
                yield object_named(qualified(parts))
        for each in node.values():
            yield from _types(each)


def _constants(nodes: Iterable[Any]) -> Iterator[Touched]:
    for tag, body in walk(list(nodes)):
        if tag == "A_Const" and "sval" in body:
            yield object_named(body["sval"].get("sval", ""))
