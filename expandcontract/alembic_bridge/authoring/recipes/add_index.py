"""Add an index: built while everybody goes on writing, in the expand, for the code that is to use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.draft import Draft, Drafted
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.recipe import Example, Recipe, argument, option


@dataclass(frozen=True)
class AddIndex(Recipe):
    """
    Add an index to a table, without anybody waiting.

    For a unique one see add-unique: it refuses what running code may still write.
    """

    table: str = argument("The table.")
    columns: tuple[str, ...] = argument("Columns, or expressions such as lower(email).")
    name: str | None = option("The index's name; default: ix_TABLE_COLUMNS.")
    where: str | None = option("Only rows for which this holds.", metavar="CONDITION")
    using: str | None = option("The access method, such as gin or brin.", metavar="METHOD")

    example = Example("posts user_id", "CREATE TABLE posts (id bigint PRIMARY KEY, user_id bigint, body text)")
    locks = (
        "`CREATE INDEX CONCURRENTLY` lets reads and writes pass, and waits for every transaction that began before it."
        " A build that was cut short leaves an invalid index; the next run drops it and builds anew."
    )

    def draft(self, tables: LiveTables) -> Draft:
        table = tables.table(self.table)
        tables.refuse_partitioned(table, "ec new add-partitioned-index")
        expressions = tables.index_columns(table, self.columns)
        if self.where:
            tables.refuse_expression(table, self.where, "the condition of the index")
        plain = [text for text in self.columns if text in table.columns]
        name = self.name or steps.object_name(
            "ix", table.name, *(plain if len(plain) == len(self.columns) else ["expression"])
        )
        tables.refuse_relation(name, table.schema)
        options: dict[str, Any] = {"postgresql_using": self.using} if self.using else {}
        if self.where:
            options["postgresql_where"] = sa.text(self.where)
        build = steps.build(table, name, expressions, **options)
        return Draft(
            f"index {name} on {table.fullname}",
            expand=Drafted("Old and new code see an index more; nobody waits while it is built.", (build,)),
            downgrade=Drafted("The index goes again.", (steps.drop_index(table, name),)),
        )
