"""ATTACH PARTITION locks the parent on an old server."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AttachPartition


def check(action: AttachPartition, scene: Scene) -> Iterator[Problem]:
    if scene.version < 12 and scene.is_live(action.table):
        yield Problem(
            f"PostgreSQL {scene.version} takes ACCESS EXCLUSIVE on {action.table}, and so on all its "
            "partitions' readers"
        )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="ATTACH PARTITION locks the parent on an old server",
    on=(AttachPartition,),
    check=check,
    why=(
        "PostgreSQL 10 and 11 take ACCESS EXCLUSIVE on the parent; from 12 on it is SHARE UPDATE "
        "EXCLUSIVE, which nobody notices."
    ),
    instead="A short lock_timeout and retries; PostgreSQL 12 or newer makes it harmless.",
    bad=Example(
        "ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM (10) TO (20)",
        schema=(
            "CREATE TABLE events (kind integer) PARTITION BY RANGE (kind); CREATE TABLE events_2 (kind "
            "integer NOT NULL, CHECK (kind >= 10 AND kind < 20))"
        ),
        version=11,
    ),
    good=Example(
        "ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM (10) TO (20)",
        schema=(
            "CREATE TABLE events (kind integer) PARTITION BY RANGE (kind); CREATE TABLE events_2 (kind "
            "integer NOT NULL, CHECK (kind >= 10 AND kind < 20))"
        ),
    ),
    effects=(
        Effect("10-11", {"events": Lock.ACCESS_EXCLUSIVE, "events_2": Lock.ACCESS_EXCLUSIVE}),
        Effect("12-18", {"events": Lock.SHARE_UPDATE_EXCLUSIVE, "events_2": Lock.ACCESS_EXCLUSIVE}),
    ),
    manual="https://www.postgresql.org/docs/current/ddl-partitioning.html",
)
