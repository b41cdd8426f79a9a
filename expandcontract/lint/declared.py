"""What an action declares: columns with their types, and foreign keys."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.sqltype import SqlType
from expandcontract.lint.statement import (
    AddColumn,
    AddConstraint,
    ChangeType,
    Constraint,
    ConstraintKind,
    CreateTable,
)


def declared_columns(
    action: CreateTable | AddColumn | ChangeType | AddConstraint,
) -> Iterator[tuple[str, SqlType]]:
    """Give name and type of every column that gets a type here."""
    if isinstance(action, CreateTable):
        yield from ((column.name, column.type) for column in action.columns)
    elif isinstance(action, AddColumn):
        yield action.column.name, action.column.type
    elif isinstance(action, ChangeType):
        yield action.column, action.type


def new_foreign_keys(
    action: CreateTable | AddColumn | AddConstraint,
) -> Iterator[tuple[Constraint, tuple[Constraint, ...]]]:
    """Give every foreign key that is made here, with all constraints made along with it."""
    if isinstance(action, CreateTable):
        made = action.constraints
    elif isinstance(action, AddColumn):
        made = action.column.constraints
    else:
        made = (action.constraint,)
    for constraint in made:
        if constraint.kind is ConstraintKind.FOREIGN_KEY:
            yield constraint, made
