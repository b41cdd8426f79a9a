"""Add an index to a partitioned table: built partition by partition, then put together."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from alembic.operations import ops

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.draft import Draft, Drafted, Part, sql
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.recipe import Example, Recipe, argument, option
from expandcontract.errors import UsageError


@dataclass(frozen=True)
class AddPartitionedIndex(Recipe):
    """
    Add an index to a partitioned table, without anybody waiting.

    The file names each partition, so make it on a database that has those of production: EC_DATABASE_URL. Partitions
    that come later have the index by themselves.
    """

    table: str = argument("The partitioned table.")
    columns: tuple[str, ...] = argument("Columns, or expressions such as lower(email).")
    name: str | None = option("The index's name; default: ix_TABLE_COLUMNS.")

    example = Example(
        "events user_id",
        "CREATE TABLE events (id bigint, at date, user_id bigint) PARTITION BY RANGE (at);"
        " CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');"
        " CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    )
    locks = (
        "`CREATE INDEX … ON ONLY` keeps writers out for an instant, each partition's own index is built `CONCURRENTLY`,"
        " and attaching it holds its lock for an instant. The index is valid when the last one is attached."
    )

    def draft(self, tables: LiveTables) -> Draft:
        table = tables.table(self.table)
        partitions = tables.rows("partitions", table)
        if not partitions:
            raise UsageError(f"{table.fullname} has no partitions", next_command="ec new add-index")
        nested = [name for _, name, is_partitioned in partitions if is_partitioned]
        if nested:
            raise UsageError(f"{table.fullname} has partitions that have partitions: {nested[0]}")
        columns = tables.index_columns(table, self.columns)
        name = self.name or steps.object_name(
            "ix", table.name, *(text for text in self.columns if text in table.columns)
        )
        tables.refuse_relation(name, table.schema)
        texts = (steps.quoted(text) if text in table.columns else f"({text})" for text in self.columns)
        whole = f"CREATE INDEX {steps.quoted(name)} ON ONLY {steps.relation(table)} ({', '.join(texts)})"
        parts = [Part("prepare", (sql(whole),), "The whole table's index, of nothing yet; partitions to come have it.")]
        for schema, partition, _ in partitions:
            own_schema = schema if table.schema else None
            own = sa.Table(partition, sa.MetaData(), schema=own_schema)
            own_name = steps.object_name(partition, *name.removeprefix(f"ix_{table.name}_").split("_"), "idx")
            whole_name, part_name = steps.in_schema(name, table.schema), steps.in_schema(own_name, own_schema)
            attach = f"ALTER INDEX {whole_name} ATTACH PARTITION {part_name}"
            parts += [
                steps.build(own, own_name, columns),
                Part(f"attach_{own_name}", (sql(attach),), "The finished index becomes a part of the whole."),
            ]
        accepted = steps.accepted("drop-index-not-concurrent", "an index of partitions can't be dropped otherwise")
        drop = ops.DropIndexOp(name, table.name, schema=table.schema)
        return Draft(
            f"index {name} on {table.fullname}",
            expand=Drafted("Old and new code see an index more; nobody waits while it is built.", tuple(parts)),
            downgrade=Drafted("The index goes again, with those of the partitions.", (Part("undo", (accepted, drop)),)),
        )
