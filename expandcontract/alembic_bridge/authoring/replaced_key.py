"""
A primary key's column gives way to one of a wider type, ``integer`` to ``bigint``, with all that refers to it.

Ids are given by the server, so only one direction needs a trigger: whoever inserts, the new column gets the id. The new
column has the default, and becomes the key, when the old one goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation
from sqlalchemy.types import TypeEngine

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.draft import Draft, Drafted, Part, sql
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables, Reference, compiled
from expandcontract.alembic_bridge.operations import CreateSyncOp, DropSyncOp
from expandcontract.domain.change import Backfill, Sync
from expandcontract.errors import UsageError

_WIDER = {"SMALLINT": ("INTEGER", "BIGINT"), "INTEGER": ("BIGINT",)}


@dataclass(frozen=True)
class KeyReplacement:
    """Which column of a primary key is replaced by which."""

    table: sa.Table
    old: sa.Column[Any]
    new: str
    type: TypeEngine[Any]


def replacing_key(tables: LiveTables, replacement: KeyReplacement, message: str) -> Draft:
    """
    The draft in which the new column becomes the primary key.

    Raises:
        UsageError: the key has several columns, something else stands on it, or what refers to it is too narrow.
    """
    table, old, new = replacement.table, replacement.old, replacement.new
    tables.refuse_existing(table, [new])
    references = tables.references(table, old.name)
    _refuse(tables, replacement, references)
    key, index = str(table.primary_key.name), steps.object_name(table.name, new, "key")
    sync = Sync(
        table.name, forward={new: steps.quoted(old.name)}, reads=(old.name,), not_null=True, schema=table.schema
    )
    column: sa.Column[Any] = sa.Column(new, replacement.type, comment=old.comment)
    check, required = steps.require(table, new)
    at_last: list[MigrateOperation] = [
        *steps.set_not_null(table, column, check),
        *_moved_default(tables, replacement, column),
        DropSyncOp(sync),
        steps.drop_constraint(table, key, "primary"),
        _declare(table, key, index),
        steps.drop_column(table, old.name),
    ]
    return Draft(
        message,
        expand=Drafted(
            f"Old code goes on with {old.name}; new code finds each row's id in {new}, and lets the server give it.",
            (
                Part(
                    "add_column",
                    (steps.add_column(table, column), CreateSyncOp(sync), required),
                    "The column comes with the triggers that fill it.",
                ),
                steps.build(table, index, [new], unique=True),
            ),
        ),
        downgrade=Drafted(
            f"Takes {new} away; {old.name} has been the key all the time.",
            (Part("undo", (DropSyncOp(sync), steps.drop_column(table, new))),),
        ),
        syncs=(sync,),
        backfill=Backfill(sync),
        backfill_says=f"Rows that nobody has written since get their {new}.",
        contract=Drafted(
            f"Nobody uses {old.name} any more; what refers to it refers to {new} first, then {old.name} goes.",
            (
                *steps.validate(table, check),
                *(part for reference in references for part in _redirected(table, new, reference)),
                Part("remove_old_key", tuple(at_last), "In one transaction, on this table alone."),
            ),
        ),
    )


def _refuse(tables: LiveTables, replacement: KeyReplacement, references: list[Reference]) -> None:
    table, old, type_ = replacement.table, replacement.old, compiled(replacement.type)
    if len(table.primary_key.columns) > 1:
        raise UsageError(f"the primary key of {table.fullname} has several columns", because="this recipe knows one")
    if type_ not in _WIDER.get(compiled(old.type), ()):
        raise UsageError(
            f"{table.fullname}.{old.name} is a primary key of type {compiled(old.type).lower()}",
            because=f"such a key can only become wider, and {type_.lower()} isn't",
        )
    if old.identity is None and old.server_default is None:
        raise UsageError(
            f"{table.fullname}.{old.name} has no default", because="new code can't write an id that old code shares"
        )
    narrow = [reference for reference in references if reference.type.upper() in _WIDER]
    if narrow:
        first = narrow[0]
        raise UsageError(
            f"{first.table}.{first.column} refers to {table.fullname}.{old.name} and is {first.type}",
            because="it couldn't hold the ids to come",
            next_command=f"first ec new change-type {first.table} {first.column} {type_.lower()} NEW_NAME",
        )
    reshaped = tables.reshaped(table, {old.name: replacement.new}, {})
    others = [
        str(each.name)
        for each in table.constraints
        if isinstance(each, sa.UniqueConstraint | sa.ForeignKeyConstraint) and old.name in each.columns
    ]
    standing = sorted([*reshaped.changed_indexes, *others])
    if standing:
        raise UsageError(f"{standing[0]} stands on {table.fullname}.{old.name} as well", because="it would go with it")


def _moved_default(tables: LiveTables, replacement: KeyReplacement, column: sa.Column[Any]) -> list[MigrateOperation]:
    """What gives the ids goes on where it is, under the name that a new table would have."""
    table, old, new = replacement.table, replacement.old, replacement.new
    name = steps.relation(table)
    if old.identity is not None:
        identity = sa.Identity(always=bool(old.identity.always))
        literal = name.replace("'", "''")
        sequences = [f"pg_get_serial_sequence('{literal}', '{each}')" for each in (new, old.name)]
        return [
            steps.alter_column(table, column, modify_server_default=identity),
            sql(f"SELECT setval({sequences[0]}, nextval({sequences[1]}))"),
        ]
    ((sequence,),) = [[name] for kind, name in tables.rows("named_after", table) if kind == "SEQUENCE"]
    renamed = steps.renamed(sequence, old.name, new) or sequence
    before, after = (steps.in_schema(each, table.schema) for each in (sequence, renamed))
    of_type = compiled(replacement.type).lower()
    return [
        sql(f"ALTER SEQUENCE {before} AS {of_type} OWNED BY {name}.{steps.quoted(new)}"),
        *(
            [steps.sequence_rename_accepted(), sql(f"ALTER SEQUENCE {before} RENAME TO {steps.quoted(renamed)}")]
            if renamed != sequence
            else []
        ),
        steps.alter_column(
            table, column, modify_server_default=sa.DefaultClause(sa.text(f"nextval('{after}'::regclass)"))
        ),
    ]


def _declare(table: sa.Table, key: str, index: str) -> MigrateOperation:
    name = steps.relation(table)
    return sql(f"ALTER TABLE {name} ADD CONSTRAINT {steps.quoted(key)} PRIMARY KEY USING INDEX {steps.quoted(index)}")


def _redirected(table: sa.Table, new: str, reference: Reference) -> tuple[Part, ...]:
    """The foreign key to the new column comes and is validated, then the old one goes and leaves it its name."""
    referring = sa.Table(reference.table, sa.MetaData(), schema=reference.schema)
    meanwhile = steps.object_name(reference.name, "new")
    rename = (
        f"ALTER TABLE {steps.relation(referring)}"
        f" RENAME CONSTRAINT {steps.quoted(meanwhile)} TO {steps.quoted(reference.name)}"
    )
    refer = steps.foreign_key(referring, meanwhile, [reference.column], table, [new], **reference.clauses)
    return (
        Part(f"refer_{reference.name}", (refer,), "Holds for every write from now on; nothing is read."),
        *steps.validate(referring, meanwhile),
        Part(
            f"drop_{reference.name}",
            (steps.drop_constraint(referring, reference.name, "foreignkey"), sql(rename)),
            "The old one goes, and the new one has its name.",
        ),
    )
