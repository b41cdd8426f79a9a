"""Change the values of an enum: a column of a new enum takes the place of the old one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from expandcontract.alembic_bridge.authoring.draft import Draft, sql
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.recipe import Example, Recipe, argument, option, pairs
from expandcontract.alembic_bridge.authoring.replaced_column import Replacement, replacing
from expandcontract.alembic_bridge.authoring.steps import in_schema, quoted
from expandcontract.errors import UsageError


@dataclass(frozen=True)
class ChangeEnum(Recipe):
    """
    Add, rename or remove values of an enum column.

    A value that ALTER TYPE … ADD VALUE has added can't be taken back, and old code meets it unprepared. So the new
    values are a new type, and each value that one side doesn't know is shown to it as one that it does.
    """

    table: str = argument("The table.")
    column: str = argument("The column.")
    new_name: str = argument("The name of the column of the new type.")
    new_type: str = argument("The name of the new type.")
    values: tuple[str, ...] = argument("All its values, in order.")
    to: tuple[str, ...] = option(
        "What an old value becomes that the new type lacks; repeatable.", (), metavar="OLD=NEW"
    )
    back: tuple[str, ...] = option(
        "What old code sees for a value that the old type lacks; repeatable.", (), metavar="NEW=OLD"
    )

    example = Example(
        "orders status state order_state open paid refunded --back refunded=paid",
        "CREATE TYPE order_status AS ENUM ('open', 'paid');"
        " CREATE TABLE orders (id bigint PRIMARY KEY, status order_status NOT NULL)",
    )
    locks = (
        "Each part holds its lock for an instant; nothing is rewritten. Until the contract every write of the column"
        " writes two columns. What old code writes over a value that it was shown as another is taken as it is."
    )

    def draft(self, tables: LiveTables) -> Draft:
        table = tables.table(self.table)
        old = tables.column(table, self.column)
        if not isinstance(old.type, postgresql.ENUM):
            raise UsageError(f"{table.fullname}.{old.name} is no enum", next_command="ec new change-type")
        forward = _mapping("--to", old.type.enums, self.values, pairs("--to", self.to))
        backward = _mapping("--back", self.values, old.type.enums, pairs("--back", self.back))
        type_ = postgresql.ENUM(*self.values, name=self.new_type, schema=table.schema, create_type=False)
        name = in_schema(self.new_type, table.schema)
        old_name = in_schema(str(old.type.name), old.type.schema)
        create = f"CREATE TYPE {name} AS ENUM ({', '.join(_literal(value) for value in self.values)})"
        is_shared = len(tables.columns_of_type(old_name)) > 1
        replacement = Replacement(
            table,
            old,
            self.new_name,
            type_,
            _case(quoted(old.name), forward, name),
            _case(quoted(self.new_name), backward, old_name),
            first=(sql(create),),
            at_last=() if is_shared else (sql(f"DROP TYPE {old_name}"),),
            undo_last=(sql(f"DROP TYPE {name}"),),
        )
        return replacing(
            tables,
            replacement,
            f"{table.fullname}.{old.name} becomes {self.new_name}, of the enum {self.new_type}",
            f"Old code goes on with {old.name} and new code uses {self.new_name}; a value that one of them doesn't know"
            " is shown to it as another.",
        )


def _mapping(option_name: str, known: Any, wanted: Any, given: Mapping[str, str]) -> dict[str, str]:
    """Each value that changes its name on the way from one type to the other."""
    for value in known:
        if value not in wanted and given.get(value) not in wanted:
            raise UsageError(
                f"there is no {value!r} among {', '.join(wanted)}",
                next_command=f"say what it becomes: {option_name} {value}=VALUE",
            )
    return {value: given[value] for value in known if given.get(value, value) != value}


def _case(column: str, mapping: Mapping[str, str], type_: str) -> str:
    if not mapping:
        return f"{column}::text::{type_}"
    whens = " ".join(f"WHEN {_literal(value)} THEN {_literal(to)}" for value, to in mapping.items())
    return f"(CASE {column}::text {whens} ELSE {column}::text END)::{type_}"


def _literal(value: str) -> str:
    return str(sa.literal(value).compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))  # type: ignore[no-untyped-call]
