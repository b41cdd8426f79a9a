"""DETACH CONCURRENTLY on a table with a default partition."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import DetachPartition


def check(action: DetachPartition, scene: Scene) -> Iterator[Problem]:
    default = scene.schema.default_partition(action.table)
    if action.concurrently and default:
        yield Problem(
            f"PostgreSQL refuses DETACH … CONCURRENTLY while {action.table} has the default partition {default}"
        )


RULE = Rule(
    hazard=Hazard.FAILURE,
    title="DETACH CONCURRENTLY on a table with a default partition",
    on=(DetachPartition,),
    check=check,
    why=("PostgreSQL refuses it: the detached rows could belong into the default partition."),
    instead=("Detach the default partition first, under a short lock_timeout; or do without a default partition."),
    bad=Example(
        "ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY",
        schema=(
            "CREATE TABLE events (kind integer) PARTITION BY RANGE (kind); CREATE TABLE events_1 "
            "PARTITION OF events FOR VALUES FROM (0) TO (10); CREATE TABLE rest PARTITION OF events "
            "DEFAULT"
        ),
        in_transaction=False,
    ),
    good=Example(
        "ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY",
        schema=(
            "CREATE TABLE events (kind integer) PARTITION BY RANGE (kind); CREATE TABLE events_1 "
            "PARTITION OF events FOR VALUES FROM (0) TO (10)"
        ),
        in_transaction=False,
    ),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
