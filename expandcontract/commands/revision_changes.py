"""What rendered revisions do to a schema, as far as linting a tree of them asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from expandcontract.lint.expression import relations
from expandcontract.lint.reading.text import read
from expandcontract.lint.statement import (
    Action,
    AddColumn,
    CreateTable,
    Drop,
    DropColumn,
    Rename,
    SetSchema,
)

if TYPE_CHECKING:
    from expandcontract.alembic_bridge.rendering import RenderedPhase, RenderedRevision

Pair = tuple[str, str]  # table and column, spelt as the linter does


def removes(revision: RenderedRevision) -> bool:
    """Whether its contract takes away a name that models may map."""
    return any(isinstance(action, DropColumn | Drop | Rename | SetSchema) for action in _actions(revision, "contract"))


def mapped_at(revisions: Sequence[RenderedRevision], mapped: frozenset[Pair]) -> list[frozenset[Pair]]:
    """Give what the models map and each revision, seen from its time, has; what a later one adds is another column."""
    found = []
    for revision in reversed(revisions):
        found.append(mapped)
        added = set[Pair]()
        for action in (*_actions(revision, "upgrade"), *_actions(revision, "contract")):
            if isinstance(action, AddColumn):
                added.add((action.table, action.column.name))
            elif isinstance(action, Rename) and action.kind == "column":
                added.add((action.relation or "", action.new))
            elif isinstance(action, CreateTable):
                added |= {pair for pair in mapped if pair[0] == action.table}
        mapped -= added
    return found[::-1]


def _actions(revision: RenderedRevision, name: str) -> Iterator[Action]:
    for phase in revision.phases:
        if phase.name == name:
            for segment in phase.segments:
                for statement in read("\n".join(each.sql for each in segment.statements)):
                    yield from statement.actions


def removed_columns(revision: RenderedRevision) -> Iterator[Pair]:
    """Give the columns that its contract drops."""
    return ((a.table, a.column) for a in _actions(revision, "contract") if isinstance(a, DropColumn))


def removed_tables(revision: RenderedRevision) -> Iterator[str]:
    """Give the tables that its contract drops."""
    return (a.name for a in _actions(revision, "contract") if isinstance(a, Drop) and a.kind == "table")


def sql_of(phase: RenderedPhase) -> str:
    """Give all that the phase runs, a statement a line."""
    return "\n".join(statement.sql for segment in phase.segments for statement in segment.statements)


def touched_by(phase: RenderedPhase) -> list[str]:
    """Give the relations that its statements name."""
    return [name for statement in read(sql_of(phase)) for name in relations(statement.tree)]
