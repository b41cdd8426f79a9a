"""What a text removes that others may refer to: tables, views and columns, by their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from expandcontract.domain.footprint import Touched
from expandcontract.domain.removal import Removal, Removed
from expandcontract.lint.footprint.mentions import object_named
from expandcontract.lint.footprint.traces import traces
from expandcontract.lint.reading.text import read
from expandcontract.lint.statement import Action, CreateView, Drop, DropColumn, Rename, SetSchema, Statement

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
    removed = _gone([action for statement in statements for action in statement.actions])
    whole = {(one.table, one.schema) for one in removed if one.column is None}
    kept = tuple(one for one in removed if one.column is None or (one.table, one.schema) not in whole)
    found = list(traces(text))
    beside = frozenset(touched for trace in found for touched in trace.changes)
    unknown = next((trace.unknown for trace in found if trace.unknown), None)
    return Removal(kept, beside - _as_touched(removed), unknown or next(_not_covered(statements), None))


def _gone(actions: Iterable[Action]) -> tuple[Removed, ...]:
    """
    What is removed in the end, each once.

    A relation's name that is given to another one stands for that from then on: whoever uses it notices nothing.
    """
    found: dict[Removed, None] = {}
    for action in actions:
        found.update(dict.fromkeys(_removed(action)))
        given = _given(action)
        found = {one: None for one in found if given is None or not _is_the_same(one, given)}
    return tuple(found)


def _removed(action: Action) -> Iterator[Removed]:
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


def _given(action: Action) -> Removed | None:
    """The name that a relation has from then on."""
    match action:
        case Rename() if action.kind in _RELATIONS:
            return replace(_named(action.new), schema=_named(action.old).schema)
        case CreateView():
            return _named(action.name)
    return None


def _is_the_same(one: Removed, given: Removed) -> bool:
    schemas = {one.schema, given.schema}
    return one.column is None and one.table == given.table and (len(schemas) == 1 or None in schemas)


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
