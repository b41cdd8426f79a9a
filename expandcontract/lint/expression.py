"""An SQL expression, and the questions that rules ask about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from expandcontract.lint.identifier import of_relation, quoted, strings
from expandcontract.lint.sqltype import SqlType, read_type
from expandcontract.lint.value import Value

_COMPARISONS = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_TRUE_WORDS = frozenset(("t", "true", "y", "yes", "on", "1"))
_FALSE_WORDS = frozenset(("f", "false", "n", "no", "off", "0"))
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}


def walk(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every tagged node below, as (tag, body), the outermost first."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, list):
            waiting.extend(reversed(current))
        elif isinstance(current, dict):
            for key, value in current.items():
                if isinstance(value, dict):
                    if key[:1].isupper():
                        yield key, value
                    waiting.append(value)
                elif isinstance(value, list):
                    waiting.append(value)


def relations(node: Any) -> list[str]:
    """Give the relations that a statement or expression names, without its own WITH queries."""
    named = {body.get("ctename") for tag, body in walk(node) if tag == "CommonTableExpr"}
    found: dict[str, None] = {}
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, dict):
            if "relname" in current and (current.get("schemaname") or current["relname"] not in named):
                found[of_relation(current)] = None
            waiting.extend(current.values())
        elif isinstance(current, list):
            waiting.extend(current)
    return list(found)


class Expression(Value):
    """A parsed expression; two texts that differ only in blanks and comments give equal answers."""

    node: dict[str, Any]

    def columns(self) -> set[str]:
        """Give the names of the columns read, without their tables."""
        found = set()
        for tag, body in walk(self.node):
            if tag == "ColumnRef":
                names = strings(body.get("fields", ()))
                if names and "String" in body["fields"][-1]:
                    found.add(quoted(names[-1]))
        return found

    def functions(self) -> set[str]:
        """Give the names of the functions called, without ``pg_catalog``."""
        return {function_name(body) for tag, body in walk(self.node) if tag == "FuncCall"}

    def strings(self) -> set[str]:
        """Give the string constants in it."""
        return {body["sval"].get("sval", "") for tag, body in walk(self.node) if tag == "A_Const" and "sval" in body}

    def casts(self) -> list[SqlType]:
        """Give the types cast to."""
        return [read_type(body["typeName"]) for tag, body in walk(self.node) if tag == "TypeCast"]

    def relations(self) -> list[str]:
        """Give the relations read by its subqueries."""
        return relations(self.node)

    @property
    def is_null(self) -> bool:
        """Whether it is the constant NULL, with or without casts."""
        return bool(_uncast(self.node).get("A_Const", {}).get("isnull"))

    @property
    def constant(self) -> Any:
        """The Python value of a plain constant; None where it isn't one."""
        return _constant(_uncast(self.node))

    def conjuncts(self) -> list[Expression]:
        """Give the parts joined by AND; itself alone where there is none."""
        boolean = self.node.get("BoolExpr")
        if boolean and boolean["boolop"] == "AND_EXPR":
            return [part for each in boolean["args"] for part in Expression(each).conjuncts()]
        return [self]

    def proves_not_null(self, column: str) -> bool:
        """
        Whether a CHECK of this expression can only hold when the column isn't NULL.

        PostgreSQL reasons alike: https://www.postgresql.org/docs/current/sql-altertable.html, SET NOT NULL.
        """
        boolean = self.node.get("BoolExpr")
        if boolean:
            parts = [Expression(each) for each in boolean["args"]]
            if boolean["boolop"] == "AND_EXPR":
                return any(part.proves_not_null(column) for part in parts)
            if boolean["boolop"] == "OR_EXPR":
                return all(part.proves_not_null(column) for part in parts)
            return parts[0]._tests_null("IS_NULL", column)
        return self._tests_null("IS_NOT_NULL", column)

    def _tests_null(self, kind: str, column: str) -> bool:
        test = self.node.get("NullTest", {})
        return test.get("nulltesttype") == kind and _column(test["arg"]) == column

    def truth(self) -> bool | None:
        """Give what it is for every row: True, False, or None where it depends on the row."""
        boolean = self.node.get("BoolExpr")
        if boolean:
            return _boolean_truth(boolean)
        comparison = self.comparison()
        if comparison:
            return comparison.truth()
        value = self.constant
        if isinstance(value, str) and "TypeCast" in self.node:
            word = value.strip().lower()
            return True if word in _TRUE_WORDS else False if word in _FALSE_WORDS else None
        return value if isinstance(value, bool) else None

    def comparison(self) -> Comparison | None:
        """Give it as a comparison, the column on the left where there is one."""
        body = self.node.get("A_Expr")
        if not body or "lexpr" not in body or body["kind"] not in _COMPARING_KINDS:
            return None
        operator = strings(body.get("name", ()))[-1]
        left, right = body["lexpr"], body.get("rexpr", {})
        if _column(left) is None and not isinstance(right, list) and _column(right) is not None:
            left, right, operator = right, left, _MIRRORED.get(operator, operator)
        return Comparison(body["kind"], operator, left, right)


_COMPARING_KINDS = frozenset(("AEXPR_OP", "AEXPR_IN", "AEXPR_BETWEEN", "AEXPR_OP_ANY"))


class Comparison(Value):
    """``left operator right``; the right side of IN and BETWEEN is a list."""

    kind: str
    operator: str
    left: Any
    right: Any

    @property
    def column(self) -> str | None:
        """The column on the left, where it is one."""
        return _column(self.left)

    @property
    def is_equality(self) -> bool:
        """Whether it names single values: ``=``, ``IN (…)`` or ``= ANY (…)``."""
        return self.operator == "=" and self.kind in ("AEXPR_OP", "AEXPR_IN", "AEXPR_OP_ANY")

    def truth(self) -> bool | None:
        """Give what the comparison of two constants, or of a column with itself, always is."""
        if self.kind != "AEXPR_OP" or self.operator not in _COMPARISONS:
            return None
        if self.column is not None and _reference(self.left) == _reference(self.right):
            return True if self.operator in ("=", "<=", ">=") else None
        left, right = _constant(_uncast(self.left)), _constant(_uncast(self.right))
        if left is None or right is None or type(left) is not type(right):
            return None
        return bool(_COMPARISONS[self.operator](left, right))


def function_name(call: dict[str, Any]) -> str:
    """Give the name of a called function: ``lower``, ``app.code``."""
    parts = strings(call.get("funcname", ()))
    return ".".join(parts[1:] if len(parts) > 1 and parts[0] in ("pg_catalog", "public") else parts)


def _column(node: dict[str, Any]) -> str | None:
    names = strings(node.get("ColumnRef", {}).get("fields", ())) if node else []
    return quoted(names[-1]) if names else None


def _reference(node: dict[str, Any]) -> list[str]:
    """Give a column with its table, as far as it names one."""
    return strings(node.get("ColumnRef", {}).get("fields", ()))


def _uncast(node: dict[str, Any]) -> dict[str, Any]:
    while "TypeCast" in node:
        node = node["TypeCast"]["arg"]
    return node


def _constant(node: dict[str, Any]) -> Any:
    body = node.get("A_Const")
    if not body or body.get("isnull"):
        return None
    for field, default in (("ival", 0), ("boolval", False), ("sval", ""), ("fval", "")):
        if field in body:
            return body[field].get(field, default)
    return None


def _boolean_truth(boolean: dict[str, Any]) -> bool | None:
    parts = [Expression(each) for each in boolean["args"]]
    truths = [part.truth() for part in parts]
    if boolean["boolop"] == "NOT_EXPR":
        return None if truths[0] is None else not truths[0]
    decisive: bool = boolean["boolop"] == "OR_EXPR"
    if decisive in truths:
        return decisive
    if None not in truths:
        return not decisive
    return True if decisive and _cover_null(parts) else None


def _cover_null(parts: list[Expression]) -> bool:
    """Whether ``x IS NULL OR x IS NOT NULL`` stands among the alternatives."""
    tests = [part.node["NullTest"] for part in parts if "NullTest" in part.node]
    kinds = {(_column(test["arg"]), test["nulltesttype"]) for test in tests}
    return any((column, "IS_NULL") in kinds and (column, "IS_NOT_NULL") in kinds for column, _ in kinds if column)
