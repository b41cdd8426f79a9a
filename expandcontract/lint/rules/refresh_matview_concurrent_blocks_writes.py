"""A concurrent refresh holds EXCLUSIVE on the view."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import RefreshMatview


def check(action: RefreshMatview, scene: Scene) -> Iterator[Problem]:
    if action.concurrently and scene.is_live(action.name):
        yield Problem(f"readers of {action.name} go on, but another refresh of it waits until this one is done")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A concurrent refresh holds EXCLUSIVE on the view",
    on=(RefreshMatview,),
    check=check,
    why="It lets readers in and nothing else.",
    instead="Nothing, unless refreshes overlap.",
    bad=Example(
        "REFRESH MATERIALIZED VIEW CONCURRENTLY totals",
        schema="CREATE MATERIALIZED VIEW totals AS SELECT 1 AS n; CREATE UNIQUE INDEX totals_n ON totals (n)",
    ),
    good=Example(
        "CREATE MATERIALIZED VIEW totals_2 AS SELECT 1 AS n",
        schema="CREATE MATERIALIZED VIEW totals AS SELECT 1 AS n; CREATE UNIQUE INDEX totals_n ON totals (n)",
    ),
    effects=(Effect("10-18", {"totals": Lock.EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html",
)
