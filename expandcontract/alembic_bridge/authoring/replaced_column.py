"""One column takes the place of another: what a rename and a change of type have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation, ops
from sqlalchemy.types import TypeEngine

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.draft import Draft, Drafted, Part, sql
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables, Reshaped
from expandcontract.alembic_bridge.operations import CreateSyncOp, DropSyncOp
from expandcontract.domain.change import Backfill, Sync
from expandcontract.errors import UsageError


@dataclass(frozen=True)
class Replacement:
    """
    Which column is replaced by which, and how each is computed from the other.

    Args:
        table: its table.
        old: the column that goes.
        new: the name of the one that comes.
        type: the type of the one that comes.
        forward: the new value over the old column.
        backward: the old value over the new column.
        first: what must be there before the column, such as a type of one's own.
        at_last: what goes after the old column.
        undo_last: what undoes `first`.
    """

    table: sa.Table
    old: sa.Column[Any]
    new: str
    type: TypeEngine[Any]
    forward: str
    backward: str
    first: tuple[ops.ExecuteSQLOp, ...] = ()
    at_last: tuple[MigrateOperation, ...] = ()
    undo_last: tuple[MigrateOperation, ...] = ()


@dataclass
class _Carried:
    """What stands on the old column, made for the new one, by where it goes in the file."""

    at_once: list[MigrateOperation] = field(default_factory=list)  # with the column
    parts: list[Part] = field(default_factory=list)  # of the expand, after it
    to_validate: list[str] = field(default_factory=list)
    foreign_keys: list[MigrateOperation] = field(default_factory=list)  # what drops them again
    at_last: list[MigrateOperation] = field(default_factory=list)  # when the old column has gone


def replacing(tables: LiveTables, replacement: Replacement, message: str, says: str) -> Draft:
    """
    The draft in which the new column comes with all that stands on the old one, and takes its place.

    Args:
        tables: the database.
        replacement: what is replaced.
        message: the change's title.
        says: the sentence about the expand.

    Raises:
        UsageError: the old column is one whose values no trigger can follow, or part of the primary key.
    """
    table, old, new = replacement.table, replacement.old, replacement.new
    tables.refuse_existing(table, [new])
    refuse_unfollowed(tables, table, old)
    sync = Sync(
        table.name,
        forward={new: replacement.forward},
        backward={old.name: replacement.backward},
        not_null=not old.nullable,
        schema=table.schema,
    )
    column: sa.Column[Any] = sa.Column(new, replacement.type, comment=old.comment)
    carried = _carried(tables, replacement)
    at_last = [DropSyncOp(sync), steps.drop_column(table, old.name), *carried.at_last, *replacement.at_last]
    to_validate = list(carried.to_validate)
    at_once: list[MigrateOperation] = [
        *replacement.first,
        steps.add_column(table, column),
        CreateSyncOp(sync),
        *carried.at_once,
    ]
    final: dict[str, Any] = {"modify_server_default": old.server_default} if old.server_default is not None else {}
    if not old.nullable:
        name, required = steps.require(table, new)
        at_once.append(required)
        to_validate.insert(0, name)
        at_last.insert(0, steps.drop_constraint(table, name, "check"))
        final["modify_nullable"] = False
    if final:
        at_last.insert(0, steps.alter_column(table, column, **final))
    return Draft(
        message,
        expand=Drafted(
            says,
            (
                Part("add_column", tuple(at_once), "The column and the triggers that keep both current come together."),
                *carried.parts,
            ),
        ),
        downgrade=Drafted(
            f"Takes {new} away; {old.name} has everything that was written to it.",
            (
                Part(
                    "undo",
                    # foreign keys first: what they refer to is locked before anything is held
                    (*carried.foreign_keys, DropSyncOp(sync), steps.drop_column(table, new), *replacement.undo_last),
                ),
            ),
        ),
        syncs=(sync,),
        backfill=Backfill(sync),
        backfill_says=f"Rows that nobody has written since get their {new}.",
        contract=Drafted(
            f"Nobody reads {old.name} any more; it goes, and {new} is as the models have it.",
            (
                *steps.validate(table, *to_validate),
                *steps.drop_foreign_keys(table, old.name),
                Part(
                    f"remove_{old.name}",
                    tuple(at_last),
                    f"The triggers go, then {old.name}, in one transaction.",
                ),
            ),
        ),
    )


def refuse_unfollowed(tables: LiveTables, table: sa.Table, *columns: sa.Column[Any]) -> None:
    """
    Refuse old columns of which a trigger can't tell what a writer wrote.

    Raises:
        UsageError: one is generated, an identity, has a volatile default, or is in the primary key.
    """
    facts = tables.facts(table)
    for column in columns:
        why = facts[column.name].unusable
        if why:
            raise UsageError(
                f"{table.fullname}.{column.name} can't be kept in step with another column: it {why}",
                because="triggers couldn't tell what a writer wrote from what the default gave",
                next_command=None if "is " in why else "let the code write the value, and drop the default first",
            )
        if column.primary_key:
            raise UsageError(
                f"{table.fullname}.{column.name} is in the primary key",
                because="both releases and every foreign key know the rows by it",
                next_command="for integer to bigint: ec new change-type",
            )


def _carried(tables: LiveTables, replacement: Replacement) -> _Carried:
    """Indexes, unique constraints, checks and foreign keys that the old column is in."""
    carried = _Carried()
    table, old = replacement.table, replacement.old.name
    types = {old: replacement.type} if replacement.type is not replacement.old.type else {}
    _refuse_own_references(tables, table, old)
    try:
        first = [str(operation.sqltext) for operation in replacement.first]
        reshaped = tables.reshaped(table, {old: replacement.new}, types, first)
    except sa.exc.DBAPIError as error:
        raise UsageError(
            f"what stands on {table.fullname}.{old} can't stand on {replacement.new}", because=str(error.orig).strip()
        ) from None
    _carry_checks(carried, replacement, reshaped.table)
    _carry_indexes(carried, replacement, reshaped)
    _carry_keys(carried, replacement)
    return carried


def _refuse_own_references(tables: LiveTables, table: sa.Table, column: str) -> None:
    references = tables.references(table, column)
    if references:
        first = references[0]
        raise UsageError(
            f"{first.table}.{first.column} refers to {table.fullname}.{column}",
            because="its foreign key would go with the column",
            next_command="drop that foreign key first",
        )


def _name_meanwhile(name: str, replacement: Replacement, carried: _Carried, rename: str) -> str:
    """The name that it has beside the old one; where that isn't the one to keep, it is renamed at last."""
    found = steps.renamed(name, replacement.old.name, replacement.new)
    if found is not None:
        return found
    meanwhile = steps.object_name(name, "new")
    carried.at_last.append(sql(rename.format(steps.quoted(meanwhile), steps.quoted(name))))
    return meanwhile


def _rename_constraint(table: sa.Table) -> str:
    return f"ALTER TABLE {steps.relation(table)} RENAME CONSTRAINT {{}} TO {{}}"


def _rename_index(table: sa.Table) -> str:
    return f"ALTER INDEX {steps.in_schema('{}', table.schema)} RENAME TO {{}}".replace('"{}"', "{}")


def _carry_checks(carried: _Carried, replacement: Replacement, shadow: sa.Table) -> None:
    before = _checks(replacement.table)
    for name, condition in _checks(shadow).items():
        if before[name] != condition:
            now = _name_meanwhile(name, replacement, carried, _rename_constraint(replacement.table))
            carried.at_once.append(steps.check(replacement.table, now, condition))
            carried.to_validate.append(now)


def _checks(table: sa.Table) -> dict[str, str]:
    found = [each for each in table.constraints if isinstance(each, sa.CheckConstraint)]
    return {str(each.name): str(each.sqltext) for each in sorted(found, key=lambda each: str(each.name))}


def _carry_indexes(carried: _Carried, replacement: Replacement, reshaped: Reshaped) -> None:
    table = replacement.table
    for index in sorted(reshaped.table.indexes, key=lambda index: str(index.name)):
        if str(index.name) in reshaped.changed_indexes:
            operation = ops.CreateIndexOp.from_index(index)
            operation.index_name = _name_meanwhile(str(index.name), replacement, carried, _rename_index(table))
            operation.table_name, operation.schema = table.name, table.schema
            operation.kw = {name: value for name, value in operation.kw.items() if value}
            carried.parts.append(steps.build_index(operation))


def _carry_keys(carried: _Carried, replacement: Replacement) -> None:
    """Unique constraints, each built as an index first, and foreign keys."""
    table, old, new = replacement.table, replacement.old.name, replacement.new
    keys = [each for each in table.constraints if isinstance(each, sa.UniqueConstraint | sa.ForeignKeyConstraint)]
    for constraint in sorted(keys, key=lambda each: str(each.name)):
        columns = [new if column.name == old else column.name for column in constraint.columns]
        if new not in columns or not constraint.name:
            continue
        rename = _rename_constraint(table)
        match constraint:
            case sa.UniqueConstraint():
                name = _name_meanwhile(str(constraint.name), replacement, carried, rename)
                carried.parts += steps.build_unique(table, name, columns)
            case sa.ForeignKeyConstraint():
                name = _name_meanwhile(str(constraint.name), replacement, carried, rename)
                carried.parts.append(
                    Part(
                        f"refer_{name}",
                        (_foreign_key(table, name, columns, constraint),),
                        "Holds for every write from now on; the rows that are there aren't read yet.",
                    )
                )
                carried.to_validate.append(name)
                carried.foreign_keys.append(steps.drop_constraint(table, name, "foreignkey"))


def _foreign_key(
    table: sa.Table, name: str, columns: list[str], constraint: sa.ForeignKeyConstraint
) -> ops.CreateForeignKeyOp:
    targets = [element.target_fullname.split(".") for element in constraint.elements]
    *schema, referred, _ = targets[0]
    clauses = {"ondelete": constraint.ondelete, "onupdate": constraint.onupdate, "initially": constraint.initially}
    return steps.foreign_key(
        table,
        name,
        columns,
        (schema[0] if schema else None, referred),
        [target[-1] for target in targets],
        deferrable=constraint.deferrable,
        **clauses,
    )
