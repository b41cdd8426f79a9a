"""Placements become drafts: parts in order, one backfill a file, and the sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from alembic.operations import MigrateOperation, ops

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.autogenerate.placement import Fill, Move, Placement
from expandcontract.alembic_bridge.authoring.draft import THIS_CHANGE, Draft, Drafted, Part
from expandcontract.domain.change import Backfill

_UNTIL_THEN = "Old code can't come back any more"


def drafts(placements: Sequence[Placement], message: str) -> tuple[Draft, ...]:
    """
    The drafts that do all of it.

    A file has one backfill, and that has one table. So the first of the tables whose rows are filled is in the file
    with everything else, and each further one has a file of its own, which comes after it.
    """
    filled = list(dict.fromkeys(placed.table for placed in placements if placed.fill))
    further = filled[1:]
    first = _draft([placed for placed in placements if placed.table not in further], message)
    others = [
        _draft([placed for placed in placements if placed.table == table], f"{message}: {table[1]}")
        for table in further
    ]
    return (first, *others)


def _locks_one_table(operation: MigrateOperation) -> bool:
    """Not so what drops a foreign key, which comes first: nothing is held yet while it waits for the other table."""
    return not (isinstance(operation, ops.DropConstraintOp) and operation.constraint_type == "foreignkey")


def _draft(placements: Sequence[Placement], message: str) -> Draft:
    contract = _parts(move for placed in placements for move in placed.contract)
    undoing = [operation for placed in reversed(placements) for operation in placed.undo]
    undoing.sort(key=_locks_one_table)
    return Draft(
        message,
        expand=Drafted(_expand_says(placements), _parts(move for placed in placements for move in placed.expand)),
        downgrade=Drafted(
            "Old code never noticed, and new code must be gone." if undoing else "There is nothing to take back.",
            (Part("downgrade", tuple(undoing)),) if undoing else (),
        ),
        backfill=_backfill(placements),
        backfill_says="New code gives each row its values; this gives them to the rows that old code has written.",
        contract=Drafted(_contract_says(placements), contract) if contract else None,
    )


def _parts(moves: Iterable[Move]) -> tuple[Part, ...]:
    """The parts in order; what may share a transaction, and has one name, does."""
    ordered = sorted(enumerate(moves), key=lambda each: (each[1].wave, each[0]))
    found: list[Part] = []
    for (_, alone), group in groupby(
        _by_name([move for _, move in ordered]), key=lambda move: (_sharing(move), move.alone)
    ):
        parts = [move.part for move in group]
        if alone:
            found += parts
        else:
            found.append(replace(parts[0], operations=tuple(each for part in parts for each in part.operations)))
    return tuple(found)


def _sharing(move: Move) -> tuple[int, str]:
    return move.wave, move.part.name


def _by_name(moves: Sequence[Move]) -> list[Move]:
    """Within a wave, those of one name together, in the order in which the names first appear."""
    first: dict[tuple[int, str], int] = {}
    for number, move in enumerate(moves):
        first.setdefault(_sharing(move), number)
    return sorted(moves, key=lambda move: (move.wave, first[_sharing(move)]))


def _backfill(placements: Sequence[Placement]) -> Backfill | None:
    """What gives each row its values; old code, which doesn't give them, must have lost its traffic."""
    fills = [(placed.table, placed.fill) for placed in placements if placed.fill]
    if not fills:
        return None
    schema, table = fills[0][0]
    columns = [fill for _, fill in fills]
    return Backfill(
        table,
        set={fill.column: _value(fill, alone=len(columns) == 1) for fill in columns},
        where=" OR ".join(f"{steps.quoted(fill.column)} IS NULL" for fill in columns),
        schema=schema,
        writers=THIS_CHANGE,
        required=False,
    )


def _value(fill: Fill, *, alone: bool) -> str:
    return fill.expression if alone else f"COALESCE({steps.quoted(fill.column)}, {fill.expression})"


def _expand_says(placements: Sequence[Placement]) -> str:
    finds = list(dict.fromkeys(placed.finds for placed in placements if placed.finds))
    may = list(dict.fromkeys(placed.may for placed in placements if placed.may))
    if not (finds or may):
        unchanged = all(not placed.expand for placed in placements)
        return "Nothing changes yet, for old code or for new." if unchanged else "Neither old nor new code notices."
    new = [*([f"finds {_listed(finds)}"] if finds else []), *([f"may {_listed(may)}"] if may else [])]
    return f"Old code goes on as before; new code {' and '.join(new)}."


def _contract_says(placements: Sequence[Placement]) -> str:
    ends = list(dict.fromkeys(placed.ends for placed in placements if placed.ends))
    return f"{_UNTIL_THEN}: {'; '.join(ends)}." if ends else f"{_UNTIL_THEN}."


def _listed(things: Sequence[str]) -> str:
    return f"{', '.join(things[:-1])} and {things[-1]}" if len(things) > 1 else things[0]
