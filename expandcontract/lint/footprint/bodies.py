"""The SQL in a function's body, static and made up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from expandcontract.lint.expression import walk
from expandcontract.lint.parse import parse_plpgsql
from expandcontract.lint.reading.text import read
from expandcontract.lint.statement import Broken, CreateFunction, Statement

_DYNAMIC = frozenset(("PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors"))
_TEXT = "PLpgSQL_expr"
_ASSIGNED = re.compile(r"^.*?:?=", re.DOTALL)
_A_STATEMENT, _AN_EXPRESSION = 0, 2  # RawParseMode of parser.h; what comes after is an assignment


@dataclass(frozen=True)
class Body:
    """The statements of a body, and why it can't be read as a whole, where it can't."""

    statements: tuple[Statement, ...] = ()
    unreadable: str | None = None


def body_of_function(function: CreateFunction, statement: Statement) -> Body:
    """What a function runs when it is called."""
    if function.language == "plpgsql":
        return _plpgsql(statement.source.decode("utf-8", "replace"), f"the function {function.name}()")
    if function.language == "sql" and function.body is not None:
        return _readable(read(function.body), f"the function {function.name}()")
    if function.language == "sql":
        return Body((statement,))  # an SQL-standard body is part of the statement's own tree
    return Body(unreadable=f"the function {function.name}() is written in {function.language}")


def body_of_block(source: str) -> Body:
    """What a DO block runs."""
    return _plpgsql(source, "a DO block")


def _plpgsql(source: str, what: str) -> Body:
    function = parse_plpgsql(source)
    if function is None or "action" not in function:
        return Body(unreadable=f"the body of {what} can't be read")
    nodes = list(walk(function))
    if any(tag in _DYNAMIC or "dynquery" in node for tag, node in nodes):
        return Body(unreadable=f"{what} makes SQL up when it runs")
    texts = [_as_statement(node["query"], node.get("parseMode", _A_STATEMENT)) for tag, node in nodes if tag == _TEXT]
    return _readable([statement for text in texts for statement in read(text)], what)


def _as_statement(text: str, mode: int) -> str:
    """An expression, or what is assigned, as a query of its own."""
    if mode == _A_STATEMENT:
        return text
    return "SELECT " + (text if mode == _AN_EXPRESSION else _ASSIGNED.sub("", text, count=1))


def _readable(statements: Sequence[Statement], what: str) -> Body:
    if any(isinstance(action, Broken) for statement in statements for action in statement.actions):
        return Body(unreadable=f"the body of {what} can't be read")
    return Body(tuple(statements))
