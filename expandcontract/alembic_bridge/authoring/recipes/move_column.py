"""Move a column to the table whose rows belong to this one's: each side's triggers follow the other until it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.draft import Draft, Drafted, Part, Remark, sql
from expandcontract.alembic_bridge.authoring.leaving import (
    defaults_of,
    differ,
    disabling,
    enabling,
    refuse_staying,
    trigger,
    trigger_function,
)
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables, compiled
from expandcontract.alembic_bridge.authoring.recipe import Example, Recipe, argument, option
from expandcontract.domain.change import Backfill
from expandcontract.errors import UsageError

_ORDERED = steps.accepted("multiple-locks-in-transaction", "it gives up before anybody is found in a deadlock")

_SHORT = (
    Remark("Twice this is less than deadlock_timeout, so nobody fails who locks the two tables the other way round."),
    sql("SET LOCAL lock_timeout = '400ms'"),
)


@dataclass(frozen=True)
class MoveColumn(Recipe):
    """
    Put a column into another table, whose rows refer to this one's, each to one of its own.

    Either table's row is locked by whoever writes the other one's, so all code must lock them in one order: until the
    contract, the new release locks the row of the old table (SELECT … FOR NO KEY UPDATE) before it changes the column
    in the new one, and no code writes a row of the new table before that of the old one in one transaction. Who breaks
    the rule may deadlock with the other release. extract-table asks for no order. The backfill isn't
    complete before each row of the old table that has a value has its row in the new one.
    """

    table: str = argument("The table that has the column.")
    column: str = argument("The column.")
    to: str = argument("The table that it goes to; its foreign key to the first one is unique.")
    name: str | None = option("What the column is called there; default: as here.", metavar="COLUMN")
    default: str | None = option(
        "What it has in rows of the first table that new code inserts, where it is NOT NULL without a default.",
        metavar="EXPRESSION",
    )

    example = Example(
        "users bio profiles",
        "CREATE TABLE users (id bigint PRIMARY KEY, bio text); CREATE TABLE profiles (user_id bigint PRIMARY KEY"
        " REFERENCES users ON DELETE CASCADE, website text)",
    )
    locks = (
        "Each part holds its locks for an instant. Until the contract every write of the column writes two rows, the"
        " row of the old table first, and inserting a row of the new table locks the one that it belongs to. Whoever"
        " writes one of the tables needs the right to write the other. The contract holds `ACCESS EXCLUSIVE` on both"
        " for an instant."
    )

    def draft(self, tables: LiveTables) -> Draft:
        table, target = tables.table(self.table), tables.table(self.to)
        column = tables.column(table, self.column)
        name = self.name or column.name
        tables.refuse_existing(target, [name])
        refuse_staying(tables, table, [column])
        given = {} if self.default is None else {column.name: self.default}
        return _Move(
            tables,
            table,
            column,
            target,
            sa.Column(name, column.type, comment=column.comment),
            _own_key(table, target),
            defaults_of(tables, table, [column], given),
        ).draft()


def _own_key(table: sa.Table, target: sa.Table) -> dict[str, str]:
    """
    The columns of the target that refer to the table, each with the one that it refers to.

    Raises:
        UsageError: no foreign key does, or several; or it may refer to one row from many, or be checked late.
    """
    found = [key for key in target.foreign_key_constraints if _referred(key) == table.fullname]
    if len(found) != 1:
        many = "several foreign keys" if found else "no foreign key"
        raise UsageError(
            f"{target.fullname} has {many} to {table.fullname}",
            because="by one foreign key it must be known which row a value goes to",
        )
    (key,) = found
    if set(key.column_keys) not in _unique(target):
        raise UsageError(
            f"several rows of {target.fullname} may refer to one of {table.fullname}",
            because=f"{', '.join(key.column_keys)} isn't unique, and one value can't be kept in many rows",
            next_command=f"where each has one: ec new add-unique {target.fullname} {' '.join(key.column_keys)}",
        )
    if key.deferrable:
        raise UsageError(
            f"the foreign key {key.name} of {target.fullname} is deferrable",
            because="a row could come before the one that it belongs to, and its value would be lost",
        )
    return {
        name: element.target_fullname.split(".")[-1]
        for name, element in zip(key.column_keys, key.elements, strict=True)
    }


def _referred(key: sa.ForeignKeyConstraint) -> str:
    return key.elements[0].target_fullname.rpartition(".")[0]


def _unique(table: sa.Table) -> list[set[str]]:
    """The sets of columns of which no two rows have the same values."""
    constraints = [
        each for each in table.constraints if isinstance(each, sa.UniqueConstraint | sa.PrimaryKeyConstraint)
    ]
    indexes = [
        index for index in table.indexes if index.unique and index.dialect_options["postgresql"]["where"] is None
    ]
    return [{column.name for column in each.columns} for each in (*constraints, *indexes)]


class _Move:
    """The draft's pieces; `own` maps the columns by which the target's rows are found to those of the table."""

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
                            _ORDERED,
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
