"""DO blocks: the static SQL in a PL/pgSQL body, and the places where it runs SQL that it makes up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from expandcontract.lint.expression import Expression
from expandcontract.lint.parse import parse_plpgsql, pieces

_STATIC = {"PLpgSQL_stmt_execsql": "sqlstmt", "PLpgSQL_stmt_perform": "expr", "PLpgSQL_stmt_fors": "query"}
_DYNAMIC = {
    "PLpgSQL_stmt_dynexecute": "query",
    "PLpgSQL_stmt_dynfors": "query",
    "PLpgSQL_stmt_open": "dynquery",
    "PLpgSQL_stmt_return_query": "dynquery",
}


def language(body: dict[str, Any]) -> str:
    """Give the language of a DO statement, ``plpgsql`` unless it says another."""
    for each in body.get("args", ()):
        if each["DefElem"]["defname"] == "language":
            return str(each["DefElem"]["arg"]["String"].get("sval", "")).lower()
    return "plpgsql"


def contents(statement: str) -> list[tuple[str, bool]] | None:
    """
    Give the SQL texts in a DO block, in order, each with whether it is made up when it runs.

    A dynamic text is empty unless it is a plain constant. None where the body can't be read.
    """
    function = parse_plpgsql(statement)
    if function is None or "action" not in function:
        return None
    return list(_texts(function["action"]))


def _texts(node: Any) -> Iterator[tuple[str, bool]]:
    if isinstance(node, list):
        for each in node:
            yield from _texts(each)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in _STATIC and _STATIC[key] in value:
                yield value[_STATIC[key]]["PLpgSQL_expr"]["query"], False
            elif key in _DYNAMIC and _DYNAMIC[key] in value:
                yield _constant(value[_DYNAMIC[key]]["PLpgSQL_expr"]["query"]), True
            yield from _texts(value)


def _constant(expression: str) -> str:
    """Give the text of a dynamic statement that is a plain string constant, otherwise an empty one."""
    for piece in pieces(b"SELECT " + expression.encode("utf-8", "replace")):
        targets = (piece.tree or {}).get("SelectStmt", {}).get("targetList", ())
        value = Expression(targets[0]["ResTarget"]["val"]).constant if targets else None
        return value if isinstance(value, str) else ""
    return ""
