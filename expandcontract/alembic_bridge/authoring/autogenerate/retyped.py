"""
Columns whose type changes so that their rows must be written anew: another column takes their place, under traffic.

It has another name, for under one name the two releases can't have two types. The models must say so, which only a
person can do, so the file asks.
"""

from __future__ import annotations

from dataclasses import replace

from alembic.operations import MigrateOperation, ops
from sqlalchemy.types import TypeEngine

from expandcontract.alembic_bridge.authoring.autogenerate.alterations import stays_as_it_is
from expandcontract.alembic_bridge.authoring.autogenerate.surroundings import Surroundings, key_of, shown
from expandcontract.alembic_bridge.authoring.draft import Draft, Part, undecided
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.recipes.change_type import ChangeType
from expandcontract.errors import UsageError


def replacements(around: Surroundings, message: str) -> tuple[tuple[Draft, ...], Surroundings]:
    """
    A draft for each column that another one can replace, and the surroundings without these differences.

    What the recipe refuses, such as a generated column, stays a difference.
    """
    drafts: list[Draft] = []
    others: list[MigrateOperation] = []
    for difference in around.differences:
        draft = _replacement(difference, around) if isinstance(difference, ops.AlterColumnOp) else None
        if draft is None:
            others.append(difference)
        else:
            drafts.append(replace(draft, message=f"{message}: {draft.message}"))
    return tuple(drafts), replace(around, differences=others)


def _replacement(operation: ops.AlterColumnOp, around: Surroundings) -> Draft | None:
    old, new = operation.existing_type, operation.modify_type
    if old is None or new is None or stays_as_it_is(old, new, around):
        return None
    table, name = key_of(operation), operation.column_name
    comes = f"{name}_{_word(new)}"
    recipe = ChangeType(shown(table), name, new.compile(dialect=around.connection.dialect), comes)
    try:
        draft = recipe.draft(LiveTables(around.connection))
    except UsageError:
        return None
    question = undecided(
        f'do the models say that {shown(table, name)} is now the column {comes}? mapped_column("{comes}", …);'
        " one name can't have two types while two releases run"
    )
    return replace(draft, expand=replace(draft.expand, parts=_asking(draft, question)))


def _asking(draft: Draft, question: MigrateOperation) -> tuple[Part, ...]:
    first, *others = draft.expand.parts
    return replace(first, operations=(question, *first.operations)), *others


def _word(type_: TypeEngine[object]) -> str:
    """The type in one word, for a name."""
    return str(type_.__visit_name__).lower()
