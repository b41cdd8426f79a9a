"""Columns that leave their table for another one: which may, and what the two ways of leaving have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.draft import sql
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.replaced_column import refuse_unfollowed
from expandcontract.database.sync_catalog import SyncColumn
from expandcontract.errors import UsageError


def refuse_staying(tables: LiveTables, table: sa.Table, columns: Iterable[sa.Column[Any]]) -> None:
    """
    Refuse columns that can't leave.

    Raises:
        UsageError: one is generated, an identity, in the primary key or referred to; or an index or a constraint
            stands on it, which would go with the column.
    """
    for column in columns:
        refuse_unfollowed(tables, table, column)
        tables.refuse_referred(table, column)
        for kind, name in tables.standing_on(table, column.name):
            raise UsageError(
                f"the {kind} {name} stands on {table.fullname}.{column.name}",
                because="it would go with the column, and whether the other table is to have it only you know",
                next_command="drop it first, and add it to the other table when this change is through",
            )


def defaults_of(
    tables: LiveTables, table: sa.Table, columns: Iterable[sa.Column[Any]], given: Mapping[str, str]
) -> dict[str, str]:
    """
    What the rows of code that doesn't know these columns any more have in them: only where `given` must say it.

    Raises:
        UsageError: a NOT NULL column without a default isn't among `given`, or another one is.
    """
    known = {column.name: column for column in columns}
    needing = {name for name, column in known.items() if not column.nullable and column.server_default is None}
    for name in sorted(needing - given.keys()):
        raise UsageError(
            f"{table.fullname}.{name} is NOT NULL without a default, so new code couldn't insert into {table.name}",
            next_command=f"say what old code is to find there meanwhile: --default {name}=EXPRESSION",
        )
    for name in sorted(given.keys() - needing):
        raise UsageError(f"{name} needs no --default", because="it isn't a NOT NULL column without one that leaves")
    for name, default in given.items():
        tables.refuse_default(known[name], default)
    return dict(given)


def enabling(table: sa.Table, defaults: Mapping[str, str]) -> tuple[MigrateOperation, ...]:
    """The defaults come, so that code which leaves these columns out can insert."""
    return tuple(_with_default(table, name, sa.DefaultClause(sa.text(text))) for name, text in defaults.items())


def disabling(table: sa.Table, defaults: Mapping[str, str]) -> tuple[MigrateOperation, ...]:
    """Undoes `enabling`."""
    return tuple(_with_default(table, name, None) for name in defaults)


def _with_default(table: sa.Table, name: str, default: sa.DefaultClause | None) -> MigrateOperation:
    return steps.alter_column(table, table.columns[name], modify_server_default=default)


def trigger_function(name: str, *body: str, replace: bool = False) -> MigrateOperation:
    """
    ``CREATE FUNCTION`` of a trigger, its body in lines; `replace` gives one that is there another body.

    Whoever writes has a search path of their own; the function keeps that of the migration.
    """
    return _lines(
        f"CREATE {'OR REPLACE ' if replace else ''}FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql",
        "SET search_path FROM CURRENT AS $$",
        "BEGIN",
        *(f"    {line}" for line in body),
        "END",
        "$$",
    )


def trigger(name: str, *event: str, function: str, live: bool = True) -> tuple[MigrateOperation, ...]:
    """``CREATE TRIGGER``, of what happens to each row; `live` where running code uses the table."""
    create = _lines(f"CREATE TRIGGER {name}", *event, f"EXECUTE FUNCTION {function}()")
    if not live:
        return (create,)
    return (steps.accepted("create-trigger", "it keeps both shapes current, and goes with the contract"), create)


def differ(column: SyncColumn, left: str, right: str) -> str:
    """Whether two values of the column aren't the same, or are the same in another form."""
    if column.identical_when_equal:
        return f"{left} IS DISTINCT FROM {right}"
    return f"ROW({left})::record *<> ROW({right})::record"


def without_parameters(expression: str) -> str:
    """The expression for a statement in which SQLAlchemy would take ``:name`` for a parameter."""
    return re.sub(r"(?<![:\w\\]):(?=\w)", r"\\:", expression)


def _lines(*lines: str) -> MigrateOperation:
    """A statement of several lines, which the file shows as such."""
    return sql("\n".join(["", *lines, ""]))
