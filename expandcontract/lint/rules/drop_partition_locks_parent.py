"""A partition is dropped while it is attached."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Drop


def check(action: Drop, scene: Scene) -> Iterator[Problem]:
    known = scene.schema.table(action.name) if action.kind == "table" else None
    if known and known.parent and scene.is_live(known.parent):
        yield Problem(
            f"{action.name} is a partition: dropping it takes ACCESS EXCLUSIVE on {known.parent}",
            f"ALTER TABLE {known.parent} DETACH PARTITION {action.name} CONCURRENTLY, then drop it",
        )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A partition is dropped while it is attached",
    on=(Drop,),
    check=check,
    why="Dropping an attached partition takes ACCESS EXCLUSIVE on its parent.",
    instead="DETACH PARTITION … CONCURRENTLY first (PostgreSQL 14), then DROP TABLE.",
    bad=Example(
        "DROP TABLE events_1",
        schema=(
            "CREATE TABLE events (kind integer) PARTITION BY RANGE (kind); CREATE TABLE events_1 "
            "PARTITION OF events FOR VALUES FROM (0) TO (10)"
        ),
    ),
    good=Example("DROP TABLE events_1", schema="CREATE TABLE events_1 (kind integer)"),
    effects=(Effect("10-18", {"events": Lock.ACCESS_EXCLUSIVE, "events_1": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/ddl-partitioning.html",
)
