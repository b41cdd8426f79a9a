"""A partition is made in place."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import CreateTable


def check(action: CreateTable, scene: Scene) -> Iterator[Problem]:
    if action.parent and scene.is_live(action.parent):
        yield Problem(
            f"CREATE TABLE … PARTITION OF takes ACCESS EXCLUSIVE on {action.parent}, so on all its queries",
            f"CREATE TABLE {action.table} (LIKE {action.parent}), a CHECK with the bound, "
            f"then ALTER TABLE {action.parent} ATTACH PARTITION {action.table} …",
        )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A partition is made in place",
    on=(CreateTable,),
    check=check,
    why=("PARTITION OF takes ACCESS EXCLUSIVE on the parent; whoever queries the partitioned table waits."),
    instead=(
        "Make the table on its own with a CHECK for the bound, then ATTACH PARTITION (SHARE "
        "UPDATE EXCLUSIVE on the parent)."
    ),
    bad=Example(
        "CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (20)",
        schema="CREATE TABLE events (kind integer) PARTITION BY RANGE (kind)",
    ),
    good=Example(
        "CREATE TABLE events_2 (kind integer NOT NULL, CHECK (kind >= 10 AND kind < 20)); ALTER TABLE "
        "events ATTACH PARTITION events_2 FOR VALUES FROM (10) TO (20)",
        schema="CREATE TABLE events (kind integer) PARTITION BY RANGE (kind)",
    ),
    effects=(Effect("10-18", {"events": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/ddl-partitioning.html",
)
