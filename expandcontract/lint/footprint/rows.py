"""What statements touch that read and write rows."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.domain.footprint import Touched
from expandcontract.lint.expression import relations
from expandcontract.lint.footprint.mentions import calls_in, names_in, object_named, reads_in, relations_in_text
from expandcontract.lint.footprint.trace import ROWS, Trace, changing
from expandcontract.lint.identifier import quoted
from expandcontract.lint.statement import LockTable, Maintain, Read, RefreshMatview, Reindex, Statement, Truncate, Write


def write(action: Write, statement: Statement) -> Iterator[Trace]:
    """INSERT, UPDATE, DELETE, MERGE and COPY … FROM; of an UPDATE the columns are known."""
    table = object_named(action.table)
    body = statement.tree.get("UpdateStmt", {}) if action.verb == "update" else {}
    only_this = body and "withClause" not in body
    set_columns = [quoted(each["ResTarget"]["name"]) for each in body.get("targetList", ())] if only_this else []
    changed = {object_named(action.table, column) for column in set_columns} or {table}
    others = {object_named(each) for each in relations(statement.tree)} - {table}
    own = reads_in([body.get("targetList", ()), body.get("whereClause", {})], action.table) if only_this else {table}
    yield Trace(
        frozenset({Touched(table.name, ROWS, table.schema), *changed}),
        frozenset({*others, *own, *names_in(statement.tree)}),
        frozenset(calls_in(statement.tree)),
        frozenset([table]),
        takes_along=action.verb in ("delete", "merge"),
    )


def truncate(action: Truncate, _: Statement) -> Iterator[Trace]:
    """TRUNCATE, and what it takes along by CASCADE."""
    tables = [object_named(each) for each in action.tables]
    yield Trace(frozenset(tables), writes=frozenset(tables), takes_along=action.cascade)


def read_rows(_: Read, statement: Statement) -> Iterator[Trace]:
    """SELECT changes nothing by itself; what it calls may."""
    tree = statement.tree
    called = calls_in(tree)
    changed = relations_in_text(tree) if "setval" in called else set()
    yield Trace(frozenset(changed), frozenset(names_in(tree) | reads_in(tree)), frozenset(called))


def refresh(action: RefreshMatview, _: Statement) -> Iterator[Trace]:
    """REFRESH MATERIALIZED VIEW."""
    yield changing(object_named(action.name))


def look_after(action: Reindex | Maintain | LockTable, _: Statement) -> Iterator[Trace]:
    """What changes nothing that anybody could name, and needs its tables."""
    named = list(action.tables) if not isinstance(action, Reindex) else []
    if isinstance(action, Reindex) and action.scope in ("index", "table"):
        named.append(action.name)
    yield Trace(uses=frozenset(map(object_named, named)))
