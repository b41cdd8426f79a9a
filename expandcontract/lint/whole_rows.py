"""
Statements that give back every column, and what changes under them when a table gets one more.

Where a client keeps such a statement prepared, the server refuses it afterwards: "cached plan must not change result
type", SQLSTATE 0A000 (RevalidateCachedQuery() in the server's plancache.c).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from expandcontract.domain.footprint import Touched
from expandcontract.lint.footprint.mentions import object_named
from expandcontract.lint.identifier import strings
from expandcontract.lint.parse import pieces
from expandcontract.lint.reading.text import read
from expandcontract.lint.statement import AddColumn

Node = dict[str, Any]


def tables_widened(text: str) -> tuple[Touched, ...]:
    """The tables that get a column."""
    tables = {action.table for each in read(text) for action in each.actions if isinstance(action, AddColumn)}
    return tuple(object_named(table) for table in sorted(tables))


def gives_whole_rows_of(text: str, table: Touched) -> bool:
    """Whether a statement of the text gives back ``*`` of that table; what the parser can't read doesn't."""
    if not table.name or table.name.lower() not in text.lower():
        return False
    trees = (piece.tree for piece in pieces(text.encode("utf-8", "replace").replace(b"\0", b"\x01")) if piece.tree)
    return any(_has_star(body, table) for tree in trees for body in tree.values() if isinstance(body, dict))


def _has_star(body: Node, table: Touched) -> bool:
    """Of the result alone: a star further inside changes no type that the client was told."""
    if "larg" in body:  # UNION and the like have the columns of their first half
        return _has_star(body["larg"], table)
    names = {
        source.get("alias", {}).get("aliasname", source["relname"])
        for source in _sources([body.get("fromClause", []), body.get("relation", {}), body.get("usingClause", [])])
        if table.meets(Touched(source["relname"], schema=source.get("schemaname")))
    }
    for result in (*body.get("targetList", ()), *body.get("returningClause", {}).get("exprs", ())):
        fields = result.get("ResTarget", {}).get("val", {}).get("ColumnRef", {}).get("fields", ())
        if fields and "A_Star" in fields[-1]:
            qualifiers = strings(fields)
            if names and (not qualifiers or qualifiers[-1] in names):
                return True
    return False


def _sources(node: Any) -> Iterator[Node]:
    """The tables that are joined, without those of subqueries, which choose their columns themselves."""
    if isinstance(node, list):
        for each in node:
            yield from _sources(each)
    elif isinstance(node, dict):
        if isinstance(node.get("relname"), str):
            yield node
        else:
            for tag, each in node.items():
                if tag not in ("RangeSubselect", "quals"):
                    yield from _sources(each)
