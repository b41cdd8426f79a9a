"""A new partition makes PostgreSQL read the default partition."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AttachPartition, CreateTable


def check(action: AttachPartition | CreateTable, scene: Scene) -> Iterator[Problem]:
    parent = action.table if isinstance(action, AttachPartition) else action.parent
    if parent is None or not scene.is_live(parent):
        return
    default = scene.schema.default_partition(parent)
    if default and scene.is_live(default):
        yield Problem(
            f"{default} is locked as well, and read to make sure that no row of it belongs into the new partition"
        )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A new partition makes PostgreSQL read the default partition",
    on=(
        AttachPartition,
        CreateTable,
    ),
    check=check,
    why=("The DEFAULT partition is locked with ACCESS EXCLUSIVE and scanned for rows that belong into the new one."),
    instead=("First a validated CHECK on the default partition that excludes the new bound; or no default partition."),
    bad=Example(
        "ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM (10) TO (20)",
        schema=(
            "CREATE TABLE events (kind integer) PARTITION BY RANGE (kind); CREATE TABLE rest PARTITION OF "
            "events DEFAULT; CREATE TABLE events_2 (kind integer NOT NULL, CHECK (kind >= 10 AND kind < "
            "20))"
        ),
    ),
    good=Example(
        "ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM (10) TO (20)",
        schema=(
            "CREATE TABLE events (kind integer) PARTITION BY RANGE (kind); CREATE TABLE events_2 (kind "
            "integer NOT NULL, CHECK (kind >= 10 AND kind < 20))"
        ),
    ),
    effects=(
        Effect(
            "11",
            {
                "events": Lock.ACCESS_EXCLUSIVE,
                "events_2": Lock.ACCESS_EXCLUSIVE,
                "rest": Lock.ACCESS_EXCLUSIVE,
            },
            ("scan",),
        ),
        Effect(
            "12-18",
            {
                "events": Lock.SHARE_UPDATE_EXCLUSIVE,
                "events_2": Lock.ACCESS_EXCLUSIVE,
                "rest": Lock.ACCESS_EXCLUSIVE,
            },
            ("scan",),
        ),
    ),
    manual="https://www.postgresql.org/docs/current/ddl-partitioning.html",
)
