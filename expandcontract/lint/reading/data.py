"""Statements that read or write rows."""

from __future__ import annotations

from typing import Any

from expandcontract.lint.expression import Expression, relations, walk
from expandcontract.lint.identifier import of_relation
from expandcontract.lint.reading.objects import option
from expandcontract.lint.reading.tables import select_into
from expandcontract.lint.statement import (
    Action,
    LockTable,
    Maintain,
    Read,
    RefreshMatview,
    SetVariable,
    Truncate,
    Write,
)

_WRITES = {"InsertStmt": "insert", "UpdateStmt": "update", "DeleteStmt": "delete", "MergeStmt": "merge"}


def select(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read SELECT: its INTO, its data-modifying WITH, its set_config() calls, or just the tables."""
    if "intoClause" in body:
        return (select_into(body, at),)
    writes = _writes_within(body, at)
    return (
        *writes,
        *_settings(body, at),
        Read(at, tuple(relations(body)), locks_rows="lockingClause" in body),
    )


def write(tag: str, body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read INSERT, UPDATE, DELETE or MERGE, and the writes in its WITH."""
    return (*_writes_within(body, at), _write(tag, body, at))


def _write(tag: str, body: dict[str, Any], at: int) -> Write:
    query = body.get("selectStmt", {}).get("SelectStmt", {})
    sources = [body.get(part, {}) for part in ("fromClause", "usingClause", "sourceRelation", "selectStmt")]
    where = body.get("whereClause") or query.get("whereClause")
    return Write(
        at,
        _WRITES[tag],
        of_relation(body["relation"]),
        where=Expression(where) if where else None,
        sources=tuple(relations(sources)),
        query=Expression({"SelectStmt": query}) if query else None,
        limited=_is_limited([query, *sources[:3], body.get("withClause", {})]),
    )


def _is_limited(parts: list[dict[str, Any]]) -> bool:
    """Whether a LIMIT stands in what the rows come from."""
    return any("limitCount" in part for part in parts) or any(
        "limitCount" in body for tag, body in walk(parts) if tag == "SelectStmt"
    )


def _writes_within(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    queries = [
        query
        for tag, cte in walk(body.get("withClause", {}))
        if tag == "CommonTableExpr"
        for query in [cte["ctequery"]]
    ]
    return tuple(_write(tag, inner, at) for query in queries for tag, inner in query.items() if tag in _WRITES)


def _settings(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    found = []
    for tag, call in walk(body.get("targetList", ())):
        if tag == "FuncCall" and call["funcname"][-1].get("String", {}).get("sval") == "set_config":
            name, value, local = ([Expression(each).constant for each in call.get("args", ())] + [None] * 3)[:3]
            if isinstance(name, str):
                found.append(SetVariable(at, name.lower(), None if value is None else str(value), bool(local)))
    return tuple(found)


def copy(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read COPY, in either direction."""
    if body.get("is_from") and "relation" in body:
        where = Expression(body["whereClause"]) if "whereClause" in body else None
        return (Write(at, "copy", of_relation(body["relation"]), where, (), None),)
    return (Read(at, tuple(relations(body)), locks_rows=False),)


def truncate(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read TRUNCATE."""
    tables = tuple(of_relation(each["RangeVar"]) for each in body["relations"])
    return (Truncate(at, tables, body.get("behavior") == "DROP_CASCADE"),)


def lock_table(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read LOCK TABLE."""
    return (LockTable(at, tuple(of_relation(each["RangeVar"]) for each in body["relations"]), body["mode"]),)


def vacuum(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read VACUUM and ANALYZE."""
    tables = tuple(
        of_relation(each["VacuumRelation"]["relation"])
        for each in body.get("rels", ())
        if "relation" in each["VacuumRelation"]
    )
    verb = "vacuum" if body.get("is_vacuumcmd") else "analyze"
    return (Maintain(at, verb, tables, full=option(body.get("options", ()), "full")),)


def cluster(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read CLUSTER."""
    return (Maintain(at, "cluster", (of_relation(body["relation"]),) if "relation" in body else ()),)


def refresh(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read REFRESH MATERIALIZED VIEW."""
    return (
        RefreshMatview(
            at,
            of_relation(body["relation"]),
            concurrently=body.get("concurrent", False),
            with_data=not body.get("skipData", False),
        ),
    )
