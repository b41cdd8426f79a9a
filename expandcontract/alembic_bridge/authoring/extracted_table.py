"""
The columns of a table become a table of their own, row by row.

Until the contract the new name is a view, so a value is written in one place whoever writes it, and rows are locked in
one order: that of the old table, then, by its triggers, that of the new one behind the view. Triggers that wrote from
either table to the other would lock them in opposite orders, and two releases would deadlock.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation, ops

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.draft import Draft, Drafted, Part, sql
from expandcontract.alembic_bridge.authoring.leaving import (
    differ,
    disabling,
    enabling,
    trigger,
    trigger_function,
    without_parameters,
)
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.domain.change import Backfill


class ExtractedTable:
    """The pieces of the draft; `keys` maps the key's columns to what they are called in the new table."""

    def __init__(
        self,
        tables: LiveTables,
        table: sa.Table,
        columns: list[sa.Column[Any]],
        new: str,
        keys: dict[str, str],
        defaults: dict[str, str],
    ) -> None:
        self.tables, self.table, self.columns, self.keys, self.defaults = tables, table, columns, keys, defaults
        schema = table.schema
        self.new = sa.Table(new, sa.MetaData(), schema=schema)
        self.filled = sa.Table(steps.object_name(new, "rows"), sa.MetaData(), schema=schema)
        for name in (self.new.name, self.filled.name):
            tables.refuse_relation(name, schema)
        self.view = steps.relation(self.new)
        self.functions = {
            does: steps.in_schema(steps.object_name("ec", does, new), schema) for does in ("fill", "empty", "follow")
        }
        self.triggers = tuple(steps.object_name("ec", new, "follows", event) for event in ("insert", "update"))

    def draft(self) -> Draft:
        """The change, with all its phases."""
        old, new, names = self.table, self.new, ", ".join(column.name for column in self.columns)
        refer = f"{new.name}_{'_'.join(self.keys.values())}_fkey"
        reference = steps.foreign_key(
            self.filled, refer, list(self.keys.values()), old, list(self.keys), ondelete="CASCADE"
        )
        enable = enabling(old, self.defaults)
        return Draft(
            f"extract {new.fullname} from {old.fullname}",
            expand=Drafted(
                f"Old code goes on with {names} in {old.name}; new code finds the same values in {new.name}.",
                (
                    Part("make_table", tuple(self._make_table()), "The table that will be there; nobody sees it yet."),
                    Part("refer", (reference,), "A row goes with the one that it belongs to; the table is empty."),
                    *steps.validate(self.filled, refer),
                    Part("follow", (*enable, *self._follow()), "From now on each write reaches the new table."),
                    Part("make_view", tuple(self._make_view()), "The view, and what writing it does."),
                ),
            ),
            downgrade=Drafted(
                f"The name {new.name} goes; every value is in {old.name}.",
                (
                    Part(
                        "undo",
                        (
                            *self._drop_view(),
                            *self._unfollow(),
                            *disabling(old, self.defaults),
                            ops.DropTableOp(self.filled.name, schema=old.schema),
                        ),
                    ),
                ),
            ),
            backfill=self._backfill(),
            backfill_says=f"Rows that nobody has written since get their row in {new.name}.",
            contract=Drafted(
                f"Nobody knows {names} in {old.name} any more; they go, and the new table takes the name {new.name}.",
                (
                    Part("turn_view", tuple(self._turn_view()), "What is written to the view goes to the new table."),
                    Part(
                        "remove_columns",
                        (*self._unfollow(), *(steps.drop_column(old, name) for name in self._names)),
                        f"Nothing reads them: {old.name} is what new code makes of it.",
                    ),
                    Part("take_name", tuple(self._take_name()), "The table behind the view takes its place."),
                ),
            ),
        )

    def _make_table(self) -> list[MigrateOperation]:
        keys: list[sa.Column[Any]] = [
            sa.Column(new, self.table.columns[old].type, nullable=False, autoincrement=False)
            for old, new in self.keys.items()
        ]
        columns: list[sa.Column[Any]] = [
            sa.Column(
                column.name,
                column.type,
                nullable=column.nullable,
                server_default=column.server_default,
                comment=column.comment,
            )
            for column in self.columns
        ]
        key = sa.PrimaryKeyConstraint(*self.keys.values(), name=steps.object_name(self.new.name, "pkey"))
        make = ops.CreateTableOp(self.filled.name, [*keys, *columns, key], schema=self.table.schema)
        return [make, *self._grants(steps.relation(self.filled))]

    def _grants(self, on: str) -> list[MigrateOperation]:
        """Whoever may write the old table may go on writing its values."""
        return [sql(f"GRANT {what} ON {on} TO {who}") for who, what in self.tables.rows("grants", self.table)]

    def _follow(self) -> list[MigrateOperation]:
        old, function = steps.relation(self.table), self.functions["follow"]
        values = ", ".join(f"NEW.{name}" for name in _quoted([*self.keys, *self._names]))
        facts = self.tables.facts(self.table)
        changed = " OR ".join(
            differ(facts[name], f"OLD.{steps.quoted(name)}", f"NEW.{steps.quoted(name)}") for name in self._names
        )
        on_insert, on_update = (steps.quoted(name) for name in self.triggers)
        return [
            trigger_function(function, *self._upsert(values), "RETURN NULL;"),
            *trigger(on_insert, f"AFTER INSERT ON {old} FOR EACH ROW", function=function),
            *trigger(on_update, f"AFTER UPDATE ON {old} FOR EACH ROW", f"WHEN ({changed})", function=function),
        ]

    def _upsert(self, values: str) -> list[str]:
        return [
            f"INSERT INTO {steps.relation(self.filled)} ({_listed([*self.keys.values(), *self._names])})",
            f"VALUES ({values})",
            f"ON CONFLICT ({_listed(self.keys.values())}) DO UPDATE SET",
            *_one_a_line(f"{name} = EXCLUDED.{name}" for name in _quoted(self._names)),
        ]

    def _make_view(self) -> list[MigrateOperation]:
        """Updates go through to the table by themselves; an insert or a delete is an update of the row it means."""
        view, old = self.view, steps.relation(self.table)
        columns = [*(_named(key, new) for key, new in self.keys.items()), *_quoted(self._names)]
        defaults = [
            sql(f"ALTER VIEW {view} ALTER {steps.quoted(column.name)} SET DEFAULT {without_parameters(_text(column))}")
            for column in self.columns
            if column.server_default is not None
        ]
        given = ", ".join(f"{name} = NEW.{name}" for name in _quoted(self._names))
        emptied = ", ".join(f"{name} = DEFAULT" for name in _quoted(self._names))
        fill, empty = self.functions["fill"], self.functions["empty"]
        return [
            steps.create_view(self.tables.server_version, view, columns, old),
            *defaults,
            *self._grants(view),
            trigger_function(
                fill,
                f"UPDATE {old} SET {given} WHERE {self._row('NEW')};",
                "IF NOT FOUND THEN",
                "    RAISE foreign_key_violation USING MESSAGE = 'the row that it belongs to is missing';",
                "END IF;",
                "RETURN NEW;",
            ),
            trigger_function(empty, f"UPDATE {old} SET {emptied} WHERE {self._row('OLD')};", "RETURN OLD;"),
            *trigger("fill", f"INSTEAD OF INSERT ON {view} FOR EACH ROW", function=fill, live=False),
            *trigger("empty", f"INSTEAD OF DELETE ON {view} FOR EACH ROW", function=empty, live=False),
        ]

    def _row(self, of: str) -> str:
        old = steps.relation(self.table)
        return " AND ".join(f"{old}.{steps.quoted(key)} = {of}.{steps.quoted(new)}" for key, new in self.keys.items())

    def _drop_view(self) -> list[MigrateOperation]:
        return [sql(f"DROP VIEW {self.view}"), *(self._drop_function(name) for name in ("fill", "empty"))]

    def _unfollow(self) -> list[MigrateOperation]:
        old = steps.relation(self.table)
        drops = [sql(f"DROP TRIGGER {steps.quoted(name)} ON {old}") for name in self.triggers]
        return [*drops, self._drop_function("follow")]

    def _drop_function(self, name: str) -> MigrateOperation:
        return sql(f"DROP FUNCTION {self.functions[name]}()")

    def _backfill(self) -> Backfill:
        """The old row is locked before it is copied, as a writer locks it, so nothing newer is overwritten."""
        old, filled = steps.relation(self.table), steps.relation(self.filled)
        own = steps.quoted(self.table.name)
        there = " AND ".join(
            f"filled.{steps.quoted(new)} = {own}.{steps.quoted(key)}" for key, new in self.keys.items()
        )
        missing = f"NOT EXISTS (SELECT FROM {filled} AS filled WHERE {there})"
        source = _listed([*self.keys, *self._names])
        return Backfill(
            self.table.name,
            sql="\n".join(
                [
                    "",
                    "WITH found AS (",
                    f"    SELECT {source} FROM {old} WHERE :range",
                    f"    AND {missing}",
                    "    FOR SHARE",
                    ")",
                    f"INSERT INTO {filled} ({_listed([*self.keys.values(), *self._names])})",
                    f"SELECT {source} FROM found ON CONFLICT DO NOTHING",
                    "",
                ]
            ),
            where=missing,
            schema=self.table.schema,
            triggers=self.triggers,
        )

    def _turn_view(self) -> list[MigrateOperation]:
        """One lock a part: whoever joins the two tables locks them in an order of their own."""
        filled, keys = steps.relation(self.filled), self.keys.values()
        columns = _quoted([*keys, *self._names])
        values = ", ".join(f"NEW.{name}" for name in columns)
        is_row = " AND ".join(f"{filled}.{name} = OLD.{name}" for name in _quoted(keys))
        return [
            steps.create_view(self.tables.server_version, self.view, columns, filled, replace=True),
            trigger_function(self.functions["fill"], *self._upsert(values), "RETURN NEW;", replace=True),
            trigger_function(
                self.functions["empty"], f"DELETE FROM {filled} WHERE {is_row};", "RETURN OLD;", replace=True
            ),
        ]

    def _take_name(self) -> list[MigrateOperation]:
        return [
            *self._drop_view(),
            steps.accepted("multiple-locks-in-transaction", "whoever uses the view locks in this order"),
            steps.accepted("rename-table", "all know it by the new name already, until here by the view"),
            sql(f"ALTER TABLE {steps.relation(self.filled)} RENAME TO {steps.quoted(self.new.name)}"),
        ]

    @property
    def _names(self) -> list[str]:
        return [column.name for column in self.columns]


def _named(column: str, name: str) -> str:
    return steps.quoted(column) if column == name else f"{steps.quoted(column)} AS {steps.quoted(name)}"


def _quoted(names: Iterable[str]) -> list[str]:
    return [steps.quoted(name) for name in names]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(_quoted(names))


def _one_a_line(assignments: Iterable[str]) -> list[str]:
    lines = [f"    {text}," for text in assignments]
    return [*lines[:-1], lines[-1].removesuffix(",") + ";"]


def _text(column: sa.Column[Any]) -> str:
    default = column.server_default
    return str(default.arg) if isinstance(default, sa.DefaultClause) else ""
