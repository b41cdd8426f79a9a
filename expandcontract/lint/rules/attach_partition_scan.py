"""A partition is attached without a CHECK that proves its bound."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.attach import bound_is_proven
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AttachPartition


def check(action: AttachPartition, scene: Scene) -> Iterator[Problem]:
    if not scene.is_live(action.partition) or bound_is_proven(action, scene.schema):
        return
    yield Problem(f"nobody can use {action.partition} while PostgreSQL checks every row of it against the bound")


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A partition is attached without a CHECK that proves its bound",
    on=(AttachPartition,),
    check=check,
    why=(
        "ATTACH reads the new partition under ACCESS EXCLUSIVE on it, unless a validated CHECK "
        "(with NOT NULL) implies the bound."
    ),
    instead=("Add a CHECK with the bound's condition NOT VALID, VALIDATE it, attach, then drop the CHECK."),
    bad=Example(
        "ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM (10) TO (20)",
        schema=("CREATE TABLE events (kind integer) PARTITION BY RANGE (kind); CREATE TABLE events_2 (kind integer)"),
    ),
    good=Example(
        "ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM (10) TO (20)",
        schema=(
            "CREATE TABLE events (kind integer) PARTITION BY RANGE (kind); CREATE TABLE events_2 (kind "
            "integer NOT NULL, CHECK (kind >= 10 AND kind < 20))"
        ),
    ),
    effects=(
        Effect("10-11", {"events": Lock.ACCESS_EXCLUSIVE, "events_2": Lock.ACCESS_EXCLUSIVE}, ("scan",)),
        Effect("12-18", {"events": Lock.SHARE_UPDATE_EXCLUSIVE, "events_2": Lock.ACCESS_EXCLUSIVE}, ("scan",)),
    ),
    manual="https://www.postgresql.org/docs/current/ddl-partitioning.html",
)
