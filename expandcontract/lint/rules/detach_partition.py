"""A partition is detached."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import DetachPartition


def check(action: DetachPartition, scene: Scene) -> Iterator[Problem]:
    if scene.is_live(action.table):
        yield Problem(f"queries on {action.table} no longer see the rows of {action.partition}")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A partition is detached",
    on=(DetachPartition,),
    check=check,
    why="Running code may still ask for its rows.",
    instead="Detach in contract(), when nobody needs the rows any more.",
    bad=Example(
        "ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY",
        schema=(
            "CREATE TABLE events (kind integer) PARTITION BY RANGE (kind); CREATE TABLE events_1 "
            "PARTITION OF events FOR VALUES FROM (0) TO (10)"
        ),
        in_transaction=False,
    ),
    good=Example(
        "CREATE TABLE events_3 (kind integer)",
        schema=(
            "CREATE TABLE events (kind integer) PARTITION BY RANGE (kind); CREATE TABLE events_1 "
            "PARTITION OF events FOR VALUES FROM (0) TO (10)"
        ),
        in_transaction=False,
    ),
    effects=(Effect("14-18", {"events": Lock.SHARE_UPDATE_EXCLUSIVE, "events_1": Lock.SHARE_UPDATE_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
