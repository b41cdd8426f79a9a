"""An index on a partitioned table is built CONCURRENTLY."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import CreateIndex, Drop


def check(action: CreateIndex | Drop, scene: Scene) -> Iterator[Problem]:
    if not action.concurrently:
        return
    if isinstance(action, Drop):
        index = scene.schema.indexes.get(action.name)
        table = index.table if index else ""
    else:
        table = "" if action.only else action.table
    if scene.schema.is_partitioned(table):
        yield Problem(
            f"{table} is partitioned, and PostgreSQL has no CONCURRENTLY for an index on a partitioned table",
            f"CREATE INDEX … ON ONLY {table}, CREATE INDEX CONCURRENTLY on each partition, ALTER INDEX "
            "… ATTACH PARTITION",
        )


RULE = Rule(
    hazard=Hazard.FAILURE,
    title="An index on a partitioned table is built CONCURRENTLY",
    on=(
        CreateIndex,
        Drop,
    ),
    check=check,
    why="PostgreSQL 11 to 18 refuse it.",
    instead=(
        "CREATE INDEX … ON ONLY the parent, CREATE INDEX CONCURRENTLY on each partition, then "
        "ALTER INDEX … ATTACH PARTITION for each."
    ),
    bad=Example(
        "CREATE INDEX CONCURRENTLY events_kind ON events (kind)",
        schema=(
            "CREATE TABLE events (kind integer) PARTITION BY RANGE (kind); CREATE TABLE events_1 "
            "PARTITION OF events FOR VALUES FROM (0) TO (10)"
        ),
        in_transaction=False,
    ),
    good=Example(
        "CREATE INDEX CONCURRENTLY events_1_kind ON events_1 (kind)",
        schema=(
            "CREATE TABLE events (kind integer) PARTITION BY RANGE (kind); CREATE TABLE events_1 "
            "PARTITION OF events FOR VALUES FROM (0) TO (10)"
        ),
        in_transaction=False,
    ),
    manual="https://www.postgresql.org/docs/current/sql-createindex.html",
)
