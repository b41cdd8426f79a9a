"""Attaching a partition locks both tables."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AttachPartition


def check(action: AttachPartition, scene: Scene) -> Iterator[Problem]:
    if scene.is_live(action.table) and scene.version >= 12:
        yield Problem(
            f"{action.table} is locked with SHARE UPDATE EXCLUSIVE, {action.partition} with ACCESS "
            "EXCLUSIVE, both briefly"
        )


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="Attaching a partition locks both tables",
    on=(AttachPartition,),
    check=check,
    why="Queries on the parent go on; those on the new partition wait.",
    instead="A short lock_timeout.",
    bad=Example(
        "ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM (10) TO (20)",
        schema=(
            "CREATE TABLE events (kind integer) PARTITION BY RANGE (kind); CREATE TABLE events_2 (kind "
            "integer NOT NULL, CHECK (kind >= 10 AND kind < 20))"
        ),
    ),
    good=Example(
        "CREATE TABLE events_3 (kind integer)",
        schema=(
            "CREATE TABLE events (kind integer) PARTITION BY RANGE (kind); CREATE TABLE events_2 (kind "
            "integer NOT NULL, CHECK (kind >= 10 AND kind < 20))"
        ),
    ),
    effects=(
        Effect("10-11", {"events": Lock.ACCESS_EXCLUSIVE, "events_2": Lock.ACCESS_EXCLUSIVE}),
        Effect("12-18", {"events": Lock.SHARE_UPDATE_EXCLUSIVE, "events_2": Lock.ACCESS_EXCLUSIVE}),
    ),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
