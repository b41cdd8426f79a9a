"""A partition is detached without CONCURRENTLY."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import DetachPartition


def check(action: DetachPartition, scene: Scene) -> Iterator[Problem]:
    if not action.concurrently and not action.finalize and scene.is_live(action.table):
        later = "" if scene.version >= 14 else " (from PostgreSQL 14)"
        yield Problem(
            f"detaching {action.partition} takes ACCESS EXCLUSIVE on {action.table}, so on all its queries",
            f"ALTER TABLE {action.table} DETACH PARTITION {action.partition} CONCURRENTLY{later}, "
            "outside a transaction",
        )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A partition is detached without CONCURRENTLY",
    on=(DetachPartition,),
    check=check,
    why=("DETACH takes ACCESS EXCLUSIVE on the parent; whoever queries the partitioned table waits."),
    instead="DETACH PARTITION … CONCURRENTLY, from PostgreSQL 14, outside a transaction.",
    bad=Example(
        "ALTER TABLE events DETACH PARTITION events_1",
        schema=(
            "CREATE TABLE events (kind integer) PARTITION BY RANGE (kind); CREATE TABLE events_1 "
            "PARTITION OF events FOR VALUES FROM (0) TO (10)"
        ),
    ),
    good=Example(
        "ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY",
        schema=(
            "CREATE TABLE events (kind integer) PARTITION BY RANGE (kind); CREATE TABLE events_1 "
            "PARTITION OF events FOR VALUES FROM (0) TO (10)"
        ),
        in_transaction=False,
    ),
    effects=(
        Effect("10-13", {"events": Lock.ACCESS_EXCLUSIVE, "events_1": Lock.SHARE_UPDATE_EXCLUSIVE}),
        Effect("14-18", {"events": Lock.ACCESS_EXCLUSIVE, "events_1": Lock.ACCESS_EXCLUSIVE}),
    ),
    manual="https://www.postgresql.org/docs/current/ddl-partitioning.html",
)
