"""What a text removes that others may refer to: tables, views and columns, by their names."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.domain.footprint import Touched
from expandcontract.domain.removal import Removal, Removed
from expandcontract.lint.footprint.mentions import object_named
from expandcontract.lint.footprint.traces import traces
from expandcontract.lint.reading.text import read
from expandcontract.lint.statement import Drop, DropColumn, Rename, SetSchema, Statement

_RELATIONS = frozenset(("table", "view", "matview", "foreign_table"))
# what goes with its table or serves it alone, and what the server refuses to drop while something stands on it;
# functions and types that a contract drops are mostly those that its triggers called and its columns had
_NOT_LOOKED_FOR = frozenset(
    (
        *("index", "tabconstraint", "trigger", "policy", "rule", "statistic_ext", "publication", "sequence"),
        *("function", "procedure", "routine", "type", "domain"),
    )
)


def removal(text: str) -> Removal:
    """What the text removes; functions and types aren't looked for."""
    statements = read(text)
    removed = tuple(dict.fromkeys(one for statement in statements for one in _removed(statement)))
    whole = {(one.table, one.schema) for one in removed if one.column is None}
    kept = tuple(one for one in removed if one.column is None or (one.table, one.schema) not in whole)
    found = list(traces(text))
    beside = frozenset(touched for trace in found for touched in trace.changes)
    unknown = next((trace.unknown for trace in found if trace.unknown), None)
    return Removal(kept, beside - _as_touched(removed), unknown or next(_not_covered(statements), None))


def _removed(statement: Statement) -> Iterator[Removed]:
    for action in statement.actions:
        match action:
            case DropColumn():
                yield _named(action.table, action.column)
            case Drop() if action.kind in _RELATIONS:
                yield _named(action.name)
            case Rename() if action.kind == "column" and action.relation:
                yield _named(action.relation, action.old, is_renamed=True)
            case Rename() if action.kind in _RELATIONS:
                yield _named(action.old, is_renamed=True)
            case SetSchema() if action.kind in _RELATIONS:
                yield _named(action.name, is_renamed=True)


def _not_covered(statements: list[Statement]) -> Iterator[str]:
    for statement in statements:
        for action in statement.actions:
            if isinstance(action, Drop) and action.kind not in _RELATIONS | _NOT_LOOKED_FOR:
                kind = action.kind.upper().replace("_", " ")
                yield f"who refers to what DROP {kind} {action.name} removes can't be told"


def _named(table: str, column: str | None = None, *, is_renamed: bool = False) -> Removed:
    name = object_named(table, column)
    return Removed(str(name.name), name.member, name.schema, is_renamed)


def _as_touched(removed: tuple[Removed, ...]) -> frozenset[Touched]:
    return frozenset(Touched(one.table, one.column, one.schema) for one in removed)
