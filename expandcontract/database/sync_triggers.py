"""
The triggers that a `Sync` installs: one function, one trigger for inserts, one for updates.

What decides is in the WHEN clauses, which PostgreSQL evaluates without calling the function, so a write that touches
neither shape, or both, costs a comparison (https://www.postgresql.org/docs/current/sql-createtrigger.html). The
triggers' names sort late, so that a table's own BEFORE triggers have had their say. ``SET LOCAL ec.sync = 'off'`` is
how the backfill passes by them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from psycopg import sql

from expandcontract.database.expressions import expression, qualified
from expandcontract.domain.change import Sync

_NAME_BYTES = 63  # NAMEDATALEN - 1: longer names are cut without an error


def object_name(sync: Sync) -> str:
    """The name of a Sync's function and the stem of its triggers' names; unique within the table's schema."""
    identity = repr((sync.table, sync.old_columns, sync.new_columns))
    digest = hashlib.sha256(identity.encode()).hexdigest()[:8]
    stem = f"ec_sync_{sync.table}".encode()[: _NAME_BYTES - len(f"_{digest}") - len("zz__insert")]
    return f"{stem.decode(errors='ignore')}_{digest}"


def trigger_names(sync: Sync) -> frozenset[str]:
    """The names of the triggers that `create_statements` installs."""
    return frozenset(f"zz_{object_name(sync)}_{event}" for event in ("insert", "update"))


def create_statements(sync: Sync, defaults: Mapping[str, str], schema: str | None = None) -> list[str]:
    """
    The statements that install the triggers.

    Args:
        sync: what to keep current.
        defaults: the default's text for each column that has one.
        schema: where the table was found, so that the triggers work under every writer's search path.
    """
    sync = replace(sync, schema=sync.schema or schema)
    untouched_new = _at_default("NEW", sync.new_columns, defaults)
    untouched_old = _at_default("NEW", tuple(sync.backward), defaults)
    return [
        _function(sync, defaults, untouched_new, untouched_old),
        _trigger(sync, "insert", _any([untouched_new, untouched_old] if sync.backward else [untouched_new])),
        _trigger(sync, "update", _any([_one_side_changed(sync), *_unfilled_and_left_so(sync)])),
    ]


def drop_statements(sync: Sync) -> list[str]:
    """The statements that remove the triggers, then their function; they take the table's lock first."""
    table = qualified(sync.table, sync.schema)
    drops = [
        sql.SQL("DROP TRIGGER {} ON {}").format(_trigger_name(sync, event), table) for event in ("insert", "update")
    ]
    return [_text(statement) for statement in (*drops, sql.SQL("DROP FUNCTION {}()").format(_function_name(sync)))]


def _function(
    sync: Sync, defaults: Mapping[str, str], untouched_new: sql.Composable, untouched_old: sql.Composable
) -> str:
    """
    The function that computes the other side.

    The columns become variables of a block named like the table, so that expressions read as they do in an UPDATE:
    ``name`` or ``users.name``; a subquery's own column wins over a variable, as in SQL.
    """
    names = (*sync.old_columns, *sync.new_columns)
    declared = sql.SQL("").join(
        sql.SQL("    {name} CONSTANT {table}.{name}%TYPE := NEW.{name};\n").format(
            name=sql.Identifier(name), table=qualified(sync.table, sync.schema)
        )
        for name in names
    )
    forward: sql.Composable = _assigned(sync.forward)
    if sync.backward:
        goes_forward = _goes_forward(sync, defaults, untouched_new, untouched_old)
        body: sql.Composable = sql.SQL("    IF {} THEN\n{}    ELSE\n{}    END IF;\n").format(
            goes_forward, forward, _assigned(sync.backward)
        )
    else:
        body = forward
    return _text(
        sql.SQL(
            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $ec_sync$\n"
            "#variable_conflict use_column\n"
            "<<{block}>>\nDECLARE\n{declared}BEGIN\n{body}    RETURN NEW;\nEND\n$ec_sync$"
        ).format(name=_function_name(sync), block=sql.Identifier(sync.table), declared=declared, body=body)
    )


def _goes_forward(
    sync: Sync, defaults: Mapping[str, str], untouched_new: sql.Composable, untouched_old: sql.Composable
) -> sql.Composable:
    """On insert: the writer left the new side alone. On update: it didn't change it."""
    new_side_has_default = any(name in defaults for name in sync.new_columns)
    old_side_has_default = any(name in defaults for name in sync.backward)
    inserted = untouched_new
    if new_side_has_default and not old_side_has_default:
        # An insert that names neither side: the only value there is, is the new side's default.
        inserted = sql.SQL("{} AND NOT ({})").format(untouched_new, untouched_old)
    return sql.SQL("(TG_OP = 'INSERT' AND {}) OR (TG_OP = 'UPDATE' AND NOT ({}))").format(
        inserted, _changed(sync.new_columns)
    )


def _assigned(columns: Mapping[str, str]) -> sql.Composable:
    return sql.SQL("").join(
        sql.SQL("        NEW.{} := {};\n").format(sql.Identifier(column), expression(text))
        for column, text in columns.items()
    )


def _trigger(sync: Sync, event: str, when: sql.Composable) -> str:
    return _text(
        sql.SQL(
            "CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW\n"
            "WHEN (({when}) AND current_setting('ec.sync', true) IS DISTINCT FROM 'off')\n"
            "EXECUTE FUNCTION {function}()"
        ).format(
            name=_trigger_name(sync, event),
            event=sql.SQL(event.upper()),
            table=qualified(sync.table, sync.schema),
            when=when,
            function=_function_name(sync),
        )
    )


def _one_side_changed(sync: Sync) -> sql.Composable:
    old, new = _changed(sync.old_columns), _changed(sync.new_columns)
    if sync.backward:
        return sql.SQL("({}) <> ({})").format(old, new)
    return sql.SQL("({}) AND NOT ({})").format(old, new)


def _unfilled_and_left_so(sync: Sync) -> list[sql.Composable]:
    """With `not_null`: the backfill hasn't reached the row, and this write doesn't fill it."""
    if not sync.not_null:
        return []
    missing = _any(sql.SQL("NEW.{} IS NULL").format(sql.Identifier(name)) for name in sync.new_columns)
    return [sql.SQL("(({}) AND NOT ({}))").format(missing, _changed(sync.new_columns))]


def _changed(names: Iterable[str]) -> sql.Composable:
    return _any(sql.SQL("OLD.{0} IS DISTINCT FROM NEW.{0}").format(sql.Identifier(name)) for name in names)


def _at_default(row: str, names: Iterable[str], defaults: Mapping[str, str]) -> sql.Composable:
    """Whether each column still has what an INSERT that doesn't name it would give it."""
    return sql.SQL(" AND ").join(
        sql.SQL("{}.{} IS NOT DISTINCT FROM {}").format(
            sql.SQL(row),
            sql.Identifier(name),
            expression(defaults.get(name, "NULL")),
        )
        for name in names
    )


def _any(conditions: Iterable[sql.Composable]) -> sql.Composable:
    return sql.SQL(" OR ").join(conditions)


def _function_name(sync: Sync) -> sql.Composable:
    return qualified(object_name(sync), sync.schema)


def _trigger_name(sync: Sync, event: str) -> sql.Composable:
    return sql.Identifier(f"zz_{object_name(sync)}_{event}")


def _text(statement: sql.Composable) -> str:
    return statement.as_string(None)
