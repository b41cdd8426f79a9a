"""
The triggers that a `Sync` installs, and the functions that they call: one per direction.

What decides is in the WHEN clauses, which PostgreSQL evaluates without calling a function, so a write that touches
neither shape, or both, costs a comparison (https://www.postgresql.org/docs/current/sql-createtrigger.html). They
don't name columns (``UPDATE OF``), for such a trigger misses what another BEFORE trigger changes. Theirs sort late, so
that a table's own triggers have had their say, and are numbered, for the order among them matters: each looks at the
row as the one before left it. ``SET LOCAL ec.sync = 'off'`` is how the backfill passes by them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from psycopg import sql

from expandcontract.database.expressions import assignments, expression, identical, qualified
from expandcontract.database.sync_catalog import SyncColumn
from expandcontract.domain.change import Sync

Direction = Literal["forward", "backward", "fill"]

_NAME_BYTES = 63  # NAMEDATALEN - 1: longer names are cut without an error
_LONGEST_ADDITION = len("zz__insert_1")
_SKIPPED = "pg_catalog.current_setting('ec.sync', true) IS DISTINCT FROM 'off'"
_UNKNOWN = SyncColumn(type="unknown")
# Words that are an expression by themselves, so a column of that name is meant only in quotes.
_VALUES = frozenset(
    (
        *("current_catalog", "current_date", "current_role", "current_schema", "current_time", "current_timestamp"),
        *("current_user", "localtime", "localtimestamp", "session_user", "system_user", "user"),
        *("true", "false", "null"),
    )
)


@dataclass(frozen=True)
class _Trigger:
    """What is done to a row, and when."""

    direction: Direction
    when: sql.Composable


@dataclass(frozen=True)
class _Row:
    """What a function calls the row after and before the write."""

    after: str
    before: str
    is_alias: bool = False

    def new(self, name: str) -> sql.Composable:
        return sql.SQL("{}.{}").format(sql.SQL(self.after), sql.Identifier(name))

    def old(self, name: str) -> sql.Composable:
        return sql.SQL("{}.{}").format(sql.SQL(self.before), sql.Identifier(name))


def object_name(sync: Sync) -> str:
    """The stem of the names of a Sync's functions and triggers; unique within the table's schema."""
    identity = repr((sync.table, sync.old_columns, sync.new_columns))
    digest = hashlib.sha256(identity.encode()).hexdigest()[:8]
    stem = f"ec_sync_{sync.table}".encode()[: _NAME_BYTES - len(f"_{digest}") - _LONGEST_ADDITION]
    return f"{stem.decode(errors='ignore')}_{digest}"


def trigger_names(sync: Sync) -> frozenset[str]:
    """The names of the triggers that `create_statements` installs."""
    return frozenset(
        _trigger_name(sync, event, number)
        for event, triggers in _triggers(sync, {}).items()
        for number in range(1, len(triggers) + 1)
    )


def create_statements(sync: Sync, columns: Mapping[str, SyncColumn], *, pin_search_path: bool = True) -> list[str]:
    """
    The statements that install the functions and their triggers.

    Args:
        sync: what to keep current; with its schema, the triggers work under every writer's search path.
        columns: what the catalogue says about the table's columns; for one that isn't there, as in an offline script,
            it is taken to have no default and a type of any kind.
        pin_search_path: some expression names more than the row's columns and what is built in, so the functions must
            bring the search path of this session along. It costs up to a microsecond per row before PostgreSQL 17.
    """
    triggers = _triggers(sync, columns)
    directions = dict.fromkeys(trigger.direction for each in triggers.values() for trigger in each)
    return [
        *(_function(sync, direction, pin_search_path) for direction in directions),
        *(
            _create_trigger(sync, event, number, trigger)
            for event, each in triggers.items()
            for number, trigger in enumerate(each, 1)
        ),
    ]


def drop_statements(sync: Sync, functions: Iterable[tuple[str, str]] | None = None) -> list[str]:
    """
    The statements that remove the triggers, then their functions; they take the table's lock first.

    Args:
        sync: what was kept current.
        functions: schema and name of each function; None for those that the search path finds.
    """
    table = qualified(sync.table, sync.schema)
    if functions is None:
        directions = dict.fromkeys(trigger.direction for each in _triggers(sync, {}).values() for trigger in each)
        names = [_function_name(sync, direction) for direction in directions]
    else:
        names = [qualified(name, schema) for schema, name in functions]
    drops = [
        *(sql.SQL("DROP TRIGGER {} ON {}").format(sql.Identifier(name), table) for name in sorted(trigger_names(sync))),
        *(sql.SQL("DROP FUNCTION {}()").format(name) for name in names),
    ]
    return [_text(statement) for statement in drops]


def probe_view(sync: Sync) -> tuple[str, str]:
    """
    The name of a view over all expressions, and the statement that creates it; for whoever asks what they depend on.

    It sees the columns that the functions see and no others, so that it fails where they would.
    """
    name = f"{object_name(sync)}_probe"
    row = sql.SQL("(SELECT {} FROM {}) AS {}").format(
        _names((*sync.old_columns, *sync.new_columns)), qualified(sync.table, sync.schema), sql.Identifier(sync.table)
    )
    values = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(expression(text), sql.Identifier(f"value_{number}"))
        for number, text in enumerate([*sync.forward.values(), *sync.backward.values()], 1)
    )
    view = qualified(name, sync.schema)
    return name, _text(sql.SQL("CREATE VIEW {} AS SELECT {} FROM {}").format(view, values, row))


def check_statement(sync: Sync, column: str, text: str, columns: Mapping[str, SyncColumn]) -> str:
    """
    A statement that fails where `text` can't be assigned to `column`; it executes nothing of it.

    The expression is planned twice: in an UPDATE, as the backfill uses it and where its type must fit, and over
    variables, as the functions use it, which know neither ``users.*`` nor ``ctid``. With a generic plan, for the
    other one would compute ``1 / total`` for the NULLs that the variables hold here
    (https://www.postgresql.org/docs/current/runtime-config-query.html#GUC-PLAN-CACHE-MODE).
    """
    update = sql.SQL("EXPLAIN UPDATE {} SET {}").format(qualified(sync.table, sync.schema), assignments({column: text}))
    names = (*sync.old_columns, *sync.new_columns)
    body = sql.SQL(
        "#variable_conflict use_column\n<<{block}>>\nDECLARE\n{declared}BEGIN\n"
        "    PERFORM pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true);\n"
        "    EXECUTE {update};\n"
        "    PERFORM {expression} WHERE false;\n"
        "    PERFORM pg_catalog.set_config('plan_cache_mode', 'auto', true);\n"
        "END\n"
    ).format(
        block=sql.Identifier(sync.table),
        declared=sql.SQL("").join(
            sql.SQL("    {} CONSTANT {} := NULL;\n").format(sql.Identifier(name), sql.SQL(columns[name].type))
            for name in names
        ),
        update=sql.Literal(_text(update)),
        expression=expression(text),
    )
    return _text(sql.SQL("DO {}").format(_dollar_quoted(body)))


def _triggers(sync: Sync, columns: Mapping[str, SyncColumn]) -> dict[str, list[_Trigger]]:
    """The triggers of each event, in the order in which they must fire."""
    return {"insert": _on_insert(sync, columns), "update": _on_update(sync, columns)}


def _on_insert(sync: Sync, columns: Mapping[str, SyncColumn]) -> list[_Trigger]:
    """The side that the writer left alone, so that it has its defaults, follows the other one."""
    new_untouched = _at_default(sync.new_columns, columns)
    if not sync.backward:
        return [_Trigger("forward", new_untouched)]
    old_untouched = _at_default(sync.backward, columns)
    if _new_code_left_both(sync, columns):
        return [
            _Trigger("forward", sql.SQL("{} AND NOT ({})").format(new_untouched, old_untouched)),
            _Trigger("backward", old_untouched),
        ]
    return [
        _Trigger("backward", sql.SQL("{} AND NOT ({})").format(old_untouched, new_untouched)),
        _Trigger("forward", new_untouched),
    ]


def _new_code_left_both(sync: Sync, columns: Mapping[str, SyncColumn]) -> bool:
    """
    Whether an insert that leaves both sides at their defaults is new code's.

    It is, where old code's would fail: it must name a NOT NULL column that has no default. Else, where only the new
    side has a default, that is the only value there is.
    """
    old = [columns.get(name, _UNKNOWN) for name in sync.backward]
    new = [columns.get(name, _UNKNOWN) for name in sync.new_columns]
    if any(column.is_not_null and column.default is None for column in old):
        return True
    return any(column.default is not None for column in new) and all(column.default is None for column in old)


def _on_update(sync: Sync, columns: Mapping[str, SyncColumn]) -> list[_Trigger]:
    """
    The side that the writer left alone follows the one that they changed; where they changed both, nothing is done.

    Backward comes first: it must see whether the writer changed the new columns, not whether forward did.
    """
    source_changed = _changed(_sources(sync), columns)
    if sync.not_null:
        # the backfill hasn't reached the row, and this write doesn't fill it either
        source_changed = sql.SQL("{} OR {}").format(source_changed, _any(_is_null("NEW", sync.new_columns)))
    forward = _Trigger("forward", sql.SQL("({}) AND {}").format(source_changed, _unchanged(sync.new_columns, columns)))
    if not sync.backward:
        return [forward]
    only_new_changed = sql.SQL("({}) AND {}").format(
        _changed(sync.new_columns, columns), _unchanged(sync.backward, columns)
    )
    backward = _Trigger("backward", only_new_changed)
    if not sync.not_null or len(sync.new_columns) == 1:
        return [backward, forward]
    left_missing = sql.SQL("{} AND ({})").format(only_new_changed, _any(_left_null(sync.new_columns)))
    return [_Trigger("fill", left_missing), backward, forward]


def _sources(sync: Sync) -> tuple[str, ...]:
    """The old columns whose change makes `forward` give something else."""
    read = tuple(name for name in sync.old_columns if _mentions(sync.forward.values(), name))
    return read or sync.old_columns


def _function(sync: Sync, direction: Direction, pin_search_path: bool) -> str:
    """A function that computes one side from the other; where it needs no variables, it is the assignments alone."""
    assigned = sync.backward if direction == "backward" else sync.forward
    names = (*sync.old_columns, *sync.new_columns)
    bare = {column: _column_named(text, names, assigned) for column, text in assigned.items()}
    computed = [text for column, text in assigned.items() if bare[column] is None]
    variables = [name for name in names if _mentions(computed, name)]
    row = _row_names(sync, variables) if computed else _Row("NEW", "OLD")
    head = _declarations(sync, variables, row) if computed else sql.SQL("")
    body = sql.SQL("").join(
        _assignment(column, expression(text) if (name := bare[column]) is None else row.new(name), direction, row)
        for column, text in assigned.items()
    )
    path = sql.SQL(" SET search_path FROM CURRENT" if pin_search_path and computed else "")
    text = sql.SQL("\n{}BEGIN\n{}    RETURN {};\nEND\n").format(head, body, sql.SQL(row.after))
    return _text(
        sql.SQL("CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql{} AS {}").format(
            _function_name(sync, direction), path, _dollar_quoted(text)
        )
    )


def _row_names(sync: Sync, variables: Iterable[str]) -> _Row:
    """What the function calls the row: NEW and OLD, unless a variable or the table is called that."""
    hidden = {"new", "old"} & {*variables, sync.table}
    return _Row("ec_row", "ec_row_before", is_alias=True) if hidden else _Row("NEW", "OLD")


def _declarations(sync: Sync, variables: Iterable[str], row: _Row) -> sql.Composable:
    """
    The columns as variables of a block named like the table, so that expressions read as they do in an UPDATE.

    ``name`` or ``users.name``; a subquery's own column wins over a variable, as in SQL. Each costs a little in every
    call, so only those that are mentioned are declared.
    """
    aliases = f"    {row.after} ALIAS FOR NEW;\n    {row.before} ALIAS FOR OLD;\n" if row.is_alias else ""
    declared = sql.SQL("").join(
        sql.SQL("    {name} CONSTANT {table}.{name}%TYPE := {value};\n").format(
            name=sql.Identifier(name), table=qualified(sync.table, sync.schema), value=row.new(name)
        )
        for name in variables
    )
    return sql.SQL("#variable_conflict use_column\n<<{}>>\nDECLARE\n{}{}").format(
        sql.Identifier(sync.table), sql.SQL(aliases), declared
    )


def _assignment(column: str, value: sql.Composable, direction: Direction, row: _Row) -> sql.Composable:
    line = sql.SQL("{} := {};").format(row.new(column), value)
    if direction == "fill":
        line = sql.SQL("IF {} IS NULL AND {} IS NULL THEN {} END IF;").format(row.old(column), row.new(column), line)
    return sql.SQL("    {}\n").format(line)


def _create_trigger(sync: Sync, event: str, number: int, trigger: _Trigger) -> str:
    return _text(
        sql.SQL(
            "CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW\n"
            "WHEN (({when}) AND {skipped})\n"
            "EXECUTE FUNCTION {function}()"
        ).format(
            name=sql.Identifier(_trigger_name(sync, event, number)),
            event=sql.SQL(event.upper()),
            table=qualified(sync.table, sync.schema),
            when=trigger.when,
            skipped=sql.SQL(_SKIPPED),
            function=_function_name(sync, trigger.direction),
        )
    )


def _changed(names: Iterable[str], columns: Mapping[str, SyncColumn]) -> sql.Composable:
    """Whether a column has another value, or the same in another form: ``Ada`` and ``ADA`` may be equal."""
    return _any(
        sql.SQL("OLD.{0} IS DISTINCT FROM NEW.{0}").format(sql.Identifier(name))
        if columns.get(name, _UNKNOWN).identical_when_equal
        else sql.SQL("ROW(OLD.{0})::pg_catalog.record *<> ROW(NEW.{0})::pg_catalog.record").format(sql.Identifier(name))
        for name in names
    )


def _unchanged(names: Iterable[str], columns: Mapping[str, SyncColumn]) -> sql.Composable:
    return sql.SQL(" AND ").join(
        _same("OLD", name, sql.SQL("NEW.{}").format(sql.Identifier(name)), columns) for name in names
    )


def _at_default(names: Iterable[str], columns: Mapping[str, SyncColumn]) -> sql.Composable:
    """Whether each column has what an INSERT that doesn't name it would give it."""
    return sql.SQL(" AND ").join(_has_default(name, columns.get(name, _UNKNOWN), columns) for name in names)


def _has_default(name: str, column: SyncColumn, columns: Mapping[str, SyncColumn]) -> sql.Composable:
    if column.default is None:
        # not IS NULL, which is also true of a composite value whose fields are NULL
        return sql.SQL("NEW.{} IS NOT DISTINCT FROM NULL").format(sql.Identifier(name))
    default = sql.SQL("CAST({} AS {})").format(expression(column.default), sql.SQL(column.type))
    return _same("NEW", name, default, columns)


def _same(row: str, name: str, value: sql.Composable, columns: Mapping[str, SyncColumn]) -> sql.Composable:
    """Whether a column of the row is exactly this value. The short way where equality tells; it is the cheaper one."""
    column, field = columns.get(name, _UNKNOWN), sql.SQL("{}.{}").format(sql.SQL(row), sql.Identifier(name))
    if column.identical_when_equal:
        return sql.SQL("{} IS NOT DISTINCT FROM {}").format(field, value)
    return identical([field], [value])


def _is_null(row: str, names: Iterable[str]) -> list[sql.Composable]:
    return [sql.SQL("{}.{} IS NULL").format(sql.SQL(row), sql.Identifier(name)) for name in names]


def _left_null(names: Sequence[str]) -> list[sql.Composable]:
    before, after = _is_null("OLD", names), _is_null("NEW", names)
    return [sql.SQL("({} AND {})").format(*each) for each in zip(before, after, strict=True)]


def _mentions(texts: Iterable[str], name: str) -> bool:
    """Whether one of the expressions may read the column; rather yes than no."""
    folded = [text.replace('""', '"').casefold() for text in texts]
    return any(name.casefold() in text or 'u&"' in text for text in folded)


def _column_named(text: str, names: Collection[str], assigned: Mapping[str, str]) -> str | None:
    """The column whose bare name the expression is, unless the same function assigns it."""
    stripped = text.strip()
    name = stripped.lower() if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]*", stripped) else None
    if name in _VALUES:
        name = None
    if re.fullmatch(r'"(?:[^"]|"")+"', stripped):
        name = stripped[1:-1].replace('""', '"')
    return name if name in names and name not in assigned else None


def _dollar_quoted(body: sql.Composable) -> sql.Composable:
    """The text between dollar signs, with a tag that it doesn't contain."""
    text, tag = _text(body), "ec_sync"
    while f"${tag}" in text:
        tag += "_"
    return sql.SQL("${tag}${body}${tag}$").format(tag=sql.SQL(tag), body=sql.SQL(text))


def _any(conditions: Iterable[sql.Composable]) -> sql.Composable:
    return sql.SQL(" OR ").join(conditions)


def _names(names: Iterable[str]) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def _function_name(sync: Sync, direction: Direction) -> sql.Composable:
    return qualified(f"{object_name(sync)}_{direction}", sync.schema)


def _trigger_name(sync: Sync, event: str, number: int) -> str:
    return f"zz_{object_name(sync)}_{event}_{number}"


def _text(statement: sql.Composable) -> str:
    return statement.as_string(None)
