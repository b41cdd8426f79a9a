"""An index is built on a partitioned table and all its partitions at once."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import CreateIndex


def check(action: CreateIndex, scene: Scene) -> Iterator[Problem]:
    if action.only or action.concurrently or not scene.schema.is_partitioned(action.table):
        return
    if scene.is_live(action.table):
        yield Problem(
            f"{action.table} is partitioned: the index is built on every partition, and all of them stay locked"
        )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="An index is built on a partitioned table and all its partitions at once",
    on=(CreateIndex,),
    check=check,
    why=("One statement builds the index on every partition while it holds SHARE on the parent and on all of them."),
    instead=(
        "CREATE INDEX … ON ONLY the parent, CREATE INDEX CONCURRENTLY on each partition, then "
        "ALTER INDEX … ATTACH PARTITION for each."
    ),
    bad=Example(
        "CREATE INDEX events_kind ON events (kind)",
        schema=(
            "CREATE TABLE events (id bigint, kind integer) PARTITION BY RANGE (kind); CREATE TABLE "
            "events_1 PARTITION OF events FOR VALUES FROM (0) TO (10)"
        ),
    ),
    good=Example(
        "CREATE INDEX events_kind ON ONLY events (kind)",
        schema=(
            "CREATE TABLE events (id bigint, kind integer) PARTITION BY RANGE (kind); CREATE TABLE "
            "events_1 PARTITION OF events FOR VALUES FROM (0) TO (10)"
        ),
    ),
    effects=(Effect("11-18", {"events": Lock.SHARE, "events_1": Lock.SHARE}, ("index build",)),),
    manual="https://www.postgresql.org/docs/current/ddl-partitioning.html",
)
