"""
Whether SQL refers to a table or a column, as far as its text tells.

What can't be told counts as a reference: a column without its table in a join, a table known by another name. Only
where every name in the text is surely something else's, it refers to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from expandcontract.domain.removal import Removed
from expandcontract.lint.expression import walk
from expandcontract.lint.footprint.bodies import Body, body_of_function
from expandcontract.lint.identifier import strings
from expandcontract.lint.parse import pieces
from expandcontract.lint.reading.text import read
from expandcontract.lint.statement import CreateFunction

Node = dict[str, Any]


class Unreadable(Exception):
    """A text that names what is looked for can't be read; says why."""


def reference(text: str, removed: Removed) -> str | None:
    """
    How the text refers to it, as a word or two for people; None where it doesn't.

    Raises:
        Unreadable: see there.
    """
    if not may_refer(text, removed):
        return None
    trees = _trees(text)
    if trees is None:
        if mentions(text, removed):
            raise Unreadable("the parser can't read it")
        return None
    return next((how for tree in trees if (how := reference_in(tree, removed))), None)


def may_refer(text: str, removed: Removed) -> bool:
    """Whether the text is worth reading."""
    return removed.table.lower() in text.lower()


def reference_in(tree: Any, removed: Removed, *, own_row: bool = False) -> str | None:
    """
    The same of a parse tree.

    Args:
        tree: of one statement or several.
        removed: what is looked for.
        own_row: a column may be of the table without its being named: NEW and OLD of a trigger on it.
    """
    scope = _Scope.of(tree, removed)
    if removed.column is None and scope.names:
        return "names it"
    looks = [_rows(tree, removed)]
    if removed.column is not None and (scope.names or own_row):
        looks += [_columns(tree, scope, own_row), _joins(tree, removed), _writes(tree, removed)]
    return next((how for look in looks for how in look), None)


@lru_cache(maxsize=20_000)
def _trees(text: str) -> tuple[Node, ...] | None:
    found = list(pieces(text.encode("utf-8", "replace").replace(b"\0", b"\x01")))
    if any(piece.tree is None for piece in found):
        return None
    return tuple(piece.tree for piece in found if piece.tree is not None)


@dataclass(frozen=True)
class _Scope:
    """By which names a text knows the table, and which names are surely something else's."""

    removed: Removed
    names: frozenset[str]
    others: frozenset[str]

    @classmethod
    def of(cls, tree: Any, removed: Removed) -> _Scope:
        mine: set[str] = set()
        others = {body["ctename"] for tag, body in walk(tree) if tag == "CommonTableExpr"}
        others |= {body["alias"]["aliasname"] for _, body in walk(tree) if _is_other_source(body)}
        for relation in _relations(tree):
            name = relation.get("alias", {}).get("aliasname", relation["relname"])
            (mine if _is(relation, removed) else others).add(name)
        return cls(removed, frozenset(mine), frozenset(others) - mine)

    def may_be_mine(self, qualifier: str) -> bool:
        return qualifier not in self.others


def _is_other_source(body: Node) -> bool:
    """A subquery, a function or VALUES with a name of its own."""
    return "aliasname" in body.get("alias", {}) and "relname" not in body and "typeName" not in body


def _is(relation: Node, removed: Removed) -> bool:
    return relation["relname"] == removed.table and (
        removed.schema is None or relation.get("schemaname", removed.schema) == removed.schema
    )


def _dicts(node: Any) -> Iterator[Node]:
    """Every part of a tree, tagged or not."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, (list, tuple)):
            waiting.extend(current)
        elif isinstance(current, dict):
            yield current
            waiting.extend(current.values())


def _relations(tree: Any) -> Iterator[Node]:
    return (each for each in _dicts(tree) if isinstance(each.get("relname"), str))


def _columns(tree: Any, scope: _Scope, own_row: bool) -> Iterator[str]:
    """Columns by their names, ``*``, and a table's name in the place of a column, which means its row."""
    for tag, body in walk(tree):
        if tag != "ColumnRef":
            continue
        fields = body.get("fields", ())
        names = strings(fields)
        if "A_Star" in fields[-1]:
            if scope.names and (not names or scope.may_be_mine(names[-1])):
                yield "reads every column (*)"
        elif names[-1] == scope.removed.column and (len(names) == 1 or scope.may_be_mine(names[-2])):
            if scope.names or (own_row and len(names) > 1 and names[-2] in ("new", "old")):
                yield "names it"
        elif len(names) == 1 and names[0] in scope.names:
            yield "takes the whole row"
    for relation in _relations(tree):
        if _is(relation, scope.removed) and relation.get("alias", {}).get("colnames"):
            yield "names the columns by their places"


def _joins(tree: Any, removed: Removed) -> Iterator[str]:
    for tag, body in walk(tree):
        if tag == "JoinExpr" and body.get("isNatural"):
            yield "joins by every common column (NATURAL JOIN)"
        elif tag == "JoinExpr" and removed.column in strings(body.get("usingClause", ())):
            yield "names it"


def _writes(tree: Any, removed: Removed) -> Iterator[str]:
    for tag, body in walk(tree):
        relation = body.get("relation")
        if not isinstance(relation, dict) or "relname" not in relation or not _is(relation, removed):
            continue
        if tag == "InsertStmt":
            if "selectStmt" in body and not body.get("cols"):
                yield "writes every column (INSERT without a list)"
            conflict = body.get("onConflictClause", {})
            elements = conflict.get("infer", {}).get("indexElems", ())
            targets = [*body.get("cols", ()), *conflict.get("targetList", ())]
            if removed.column in {*_targets(targets), *(each["IndexElem"].get("name") for each in elements)}:
                yield "names it"
        elif tag == "UpdateStmt" and removed.column in _targets(body.get("targetList", ())):
            yield "names it"
        elif tag == "CopyStmt" and (not body.get("attlist") or removed.column in strings(body["attlist"])):
            yield "names it" if body.get("attlist") else "copies every column (COPY without a list)"
        elif tag == "MergeStmt":
            yield from _merged(body, removed)


def _merged(merge: Node, removed: Removed) -> Iterator[str]:
    for each in merge.get("mergeWhenClauses", ()):
        clause = each["MergeWhenClause"]
        if removed.column in _targets(clause.get("targetList", ())):
            yield "names it"
        if clause.get("commandType") == "CMD_INSERT" and clause.get("values") and not clause.get("targetList"):
            yield "writes every column (INSERT without a list)"


def _targets(nodes: Any) -> set[str | None]:
    return {each["ResTarget"].get("name") for each in nodes}


def _rows(tree: Any, removed: Removed) -> Iterator[str]:
    """The table as a type, as in ``NULL::users``."""
    for each in _dicts(tree):
        if "names" in each and "typemod" in each and strings(each["names"])[-1:] == [removed.table]:
            yield "takes the whole row"


def reference_in_function(definition: str, removed: Removed, *, of_its_trigger: bool) -> str | None:
    """
    How the body of a function refers to it; None where it doesn't.

    Args:
        definition: CREATE FUNCTION with a body of text, in SQL or PL/pgSQL.
        removed: what is looked for.
        of_its_trigger: a trigger of the table calls it, so NEW and OLD are its rows.

    Raises:
        Unreadable: the body can't be read to its end, and it has the name in it.
    """
    body = next(
        (
            body_of_function(action, statement)
            for statement in read(definition)
            for action in statement.actions
            if isinstance(action, CreateFunction)
        ),
        Body(unreadable="it is no function"),
    )
    if of_its_trigger and removed.column and _names_of_row(removed.column).search(definition):
        return "names it"
    if body.unreadable and mentions(definition, removed):
        raise Unreadable(body.unreadable)
    return reference_in([statement.tree for statement in body.statements], removed, own_row=of_its_trigger)


def mentions(text: str, removed: Removed) -> bool:
    """Whether its name, and for a column its table's, stand in a text of whatever language as words of their own."""
    return all(
        re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text, re.IGNORECASE)
        for name in (removed.table, removed.column)
        if name
    )


def _names_of_row(column: str) -> re.Pattern[str]:
    return re.compile(rf'\b(?:new|old)\s*\.\s*"?{re.escape(column)}(?![\w$])', re.IGNORECASE)
