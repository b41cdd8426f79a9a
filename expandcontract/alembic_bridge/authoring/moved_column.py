"""
A column goes to the table whose rows belong to this one's.

What is written to the old column is pushed to the new one, and what is written to the new one returns; each stops
where the values are the same, so there is no loop. A row that comes into the new table pulls the value that waits for
it. Whoever writes, locks: the old table's row first, for a trigger on the new one can't choose.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.draft import Draft, Drafted, Part, Remark, sql
from expandcontract.alembic_bridge.authoring.leaving import differ, disabling, enabling, trigger, trigger_function
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables, compiled
from expandcontract.domain.change import Backfill

_SHORT = (
    Remark("Twice this is less than deadlock_timeout, so nobody fails who locks the two tables the other way round."),
    sql("SET LOCAL lock_timeout = '400ms'"),
)


class MovedColumn:
    """The pieces of the draft; `own` maps the columns by which the target's rows are found to those of the table."""

    def __init__(
        self,
        tables: LiveTables,
        table: sa.Table,
        column: sa.Column[Any],
        target: sa.Table,
        comer: sa.Column[Any],
        own: dict[str, str],
        defaults: dict[str, str],
    ) -> None:
        self.tables, self.table, self.column, self.target, self.comer = tables, table, column, target, comer
        self.own, self.defaults = own, defaults
        self.here, self.there = steps.relation(table), steps.relation(target)
        self.facts = tables.facts(table)[column.name]
        self.old, self.new = steps.quoted(column.name), steps.quoted(comer.name)
        stem = f"{target.name}_{comer.name}"
        self.functions = {
            does: steps.in_schema(steps.object_name("ec", does, stem), table.schema)
            for does in ("push", "pull", "return")
        }
        self.on_table = steps.object_name("ec", stem, "push")
        self.on_target = tuple(steps.object_name("ec", stem, does) for does in ("pull", "return", "return_changed"))

    def draft(self) -> Draft:
        """The change, with all its phases."""
        old, new = f"{self.table.name}.{self.column.name}", f"{self.target.name}.{self.comer.name}"
        return Draft(
            f"move {old} to {new}",
            expand=Drafted(
                f"Old code goes on with {old} and new code uses {new}; each sees what the other writes.",
                (
                    Part(
                        "add_column",
                        (steps.add_column(self.target, self.comer), *self._return()),
                        f"The column comes, and what is written to it goes back to {self.table.name}.",
                    ),
                    Part(
                        "push",
                        (*enabling(self.table, self.defaults), *self._push()),
                        f"From now on what is written to {old} reaches {new}.",
                    ),
                ),
            ),
            downgrade=Drafted(
                f"Takes {new} away; {old} has everything that was written to it.",
                (
                    Part(
                        "undo",
                        (
                            *_SHORT,
                            *self._drop_push(),
                            *disabling(self.table, self.defaults),
                            *self._drop_return(),
                            steps.drop_column(self.target, self.comer.name),
                        ),
                    ),
                ),
            ),
            backfill=self._backfill(),
            backfill_says=f"Rows that nobody has written since get their value in {self.target.name}.",
            contract=self._contract(f"Nobody knows {old} any more; it goes, and {new} is as the models have it."),
        )

    def _return(self) -> list[MigrateOperation]:
        """A new row takes the value that is there; what is written to the new column goes back to the old one."""
        pull, back = self.functions["pull"], self.functions["return"]
        changed = self._differ(f"OLD.{self.new}", f"NEW.{self.new}")
        moved = " OR ".join(f"OLD.{name} <> NEW.{name}" for name in map(steps.quoted, self.own))
        on_pull, on_insert, on_update = (steps.quoted(name) for name in self.on_target)
        return [
            trigger_function(
                pull,
                f"SELECT {self.here}.{self.old} INTO NEW.{self.new} FROM {self.here}",
                f"WHERE {self._is_of('NEW')} FOR NO KEY UPDATE;",
                "RETURN NEW;",
            ),
            trigger_function(
                back,
                f"UPDATE {self.here} SET {self.old} = NEW.{self.new}",
                f"WHERE {self._is_of('NEW')} AND {self._differ(f'{self.here}.{self.old}', f'NEW.{self.new}')};",
                "RETURN NULL;",
            ),
            *trigger(
                on_pull,
                f"BEFORE INSERT ON {self.there} FOR EACH ROW WHEN (NEW.{self.new} IS NULL)",
                function=pull,
            ),
            *trigger(on_insert, f"AFTER INSERT ON {self.there} FOR EACH ROW", function=back),
            *trigger(
                on_update,
                f"AFTER UPDATE ON {self.there} FOR EACH ROW",
                f"WHEN ({changed} OR {moved})",
                function=back,
            ),
        ]

    def _push(self) -> list[MigrateOperation]:
        changed = self._differ(f"OLD.{self.old}", f"NEW.{self.old}")
        push = self.functions["push"]
        return [
            trigger_function(
                push,
                f"UPDATE {self.there} SET {self.new} = NEW.{self.old}",
                f"WHERE {self._belongs_to('NEW')} AND {self._differ(f'{self.there}.{self.new}', f'NEW.{self.old}')};",
                "RETURN NULL;",
            ),
            *trigger(
                steps.quoted(self.on_table),
                f"AFTER UPDATE ON {self.here} FOR EACH ROW WHEN ({changed})",
                function=push,
            ),
        ]

    def _drop_push(self) -> list[MigrateOperation]:
        drop = sql(f"DROP TRIGGER {steps.quoted(self.on_table)} ON {self.here}")
        return [drop, self._drop_function("push")]

    def _drop_return(self) -> list[MigrateOperation]:
        drops = [sql(f"DROP TRIGGER {steps.quoted(name)} ON {self.there}") for name in self.on_target]
        return [*drops, self._drop_function("pull"), self._drop_function("return")]

    def _drop_function(self, does: str) -> MigrateOperation:
        return sql(f"DROP FUNCTION {self.functions[does]}()")

    def _backfill(self) -> Backfill:
        """The old row is locked before it is copied, as a writer locks it, so nothing newer is overwritten."""
        here = steps.quoted(self.table.name)
        keys = [steps.quoted(name) for name in self.own.values()]
        theirs = " AND ".join(
            f"there.{steps.quoted(own)} = {here}.{steps.quoted(key)}" for own, key in self.own.items()
        )
        found = f"SELECT FROM {self.there} AS there WHERE {theirs}"
        differs = f"EXISTS ({found} AND {self._differ(f'there.{self.new}', f'{here}.{self.old}')})"
        return Backfill(
            self.table.name,
            sql="\n".join(
                [
                    "",
                    "WITH found AS (",
                    f"    SELECT {', '.join([*keys, self.old])} FROM {self.here} WHERE :range",
                    f"    AND {differs}",
                    "    FOR SHARE",
                    ")",
                    f"UPDATE {self.there} SET {self.new} = found.{self.old} FROM found",
                    f"WHERE {self._belongs_to('found')}",
                    "",
                ]
            ),
            where=f"{differs} OR {self._has_a_value(here)} AND NOT EXISTS ({found})",
            schema=self.table.schema,
            triggers=(self.on_table,),
        )

    def _has_a_value(self, here: str) -> str:
        """Whether something would be lost where the row has none in the target."""
        value, default = f"{here}.{self.old}", self.column.server_default
        texts = [*self.defaults.values(), *([str(default.arg)] if isinstance(default, sa.DefaultClause) else [])]
        type_ = compiled(self.column.type)
        return " AND ".join(
            [f"{value} IS NOT NULL", *(self._differ(value, f"CAST({text} AS {type_})") for text in texts)]
        )

    def _contract(self, says: str) -> Drafted:
        parts: list[Part] = []
        finished: list[MigrateOperation] = []
        if not self.column.nullable:
            name, required = steps.require(self.target, self.comer.name)
            parts = [
                Part("require", (required,), "Holds for every write from now on; the rows that are there aren't read."),
                *steps.validate(self.target, name),
            ]
            finished += steps.set_not_null(self.target, self.comer, name)
        if self.column.server_default is not None:
            default = self.column.server_default
            finished.append(steps.alter_column(self.target, self.comer, modify_server_default=default))
        # one lock a part: other code locks the two tables in an order of its own
        parts += [
            Part("settle", (*self._drop_return(), *finished), f"What is written to {self.target.name} stays there."),
            Part(
                "remove",
                (*self._drop_push(), steps.drop_column(self.table, self.column.name)),
                "The trigger goes, and with it the old column.",
            ),
        ]
        return Drafted(says, tuple(parts))

    def _differ(self, left: str, right: str) -> str:
        return differ(self.facts, left, right)

    def _is_of(self, row: str) -> str:
        """The condition on a row of the table to be the one that a row of the target belongs to."""
        return " AND ".join(
            f"{self.here}.{steps.quoted(key)} = {row}.{steps.quoted(own)}" for own, key in self.own.items()
        )

    def _belongs_to(self, row: str) -> str:
        """The condition on a row of the target to belong to a row of the table."""
        return " AND ".join(
            f"{self.there}.{steps.quoted(own)} = {row}.{steps.quoted(key)}" for own, key in self.own.items()
        )
