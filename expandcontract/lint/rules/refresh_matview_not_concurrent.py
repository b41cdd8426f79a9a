"""A materialised view is refreshed while readers wait."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import RefreshMatview


def check(action: RefreshMatview, scene: Scene) -> Iterator[Problem]:
    if not action.concurrently and scene.is_live(action.name):
        yield Problem(
            f"nobody can read {action.name} until it is filled again",
            f"REFRESH MATERIALIZED VIEW CONCURRENTLY {action.name}; it needs a unique index on {action.name}",
        )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A materialised view is refreshed while readers wait",
    on=(RefreshMatview,),
    check=check,
    why=(
        "A plain REFRESH holds ACCESS EXCLUSIVE on the view for as long as its query runs; WITH "
        "NO DATA leaves it unreadable."
    ),
    instead="REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index.",
    bad=Example(
        "REFRESH MATERIALIZED VIEW totals",
        schema="CREATE MATERIALIZED VIEW totals AS SELECT 1 AS n; CREATE UNIQUE INDEX totals_n ON totals (n)",
    ),
    good=Example(
        "REFRESH MATERIALIZED VIEW CONCURRENTLY totals",
        schema="CREATE MATERIALIZED VIEW totals AS SELECT 1 AS n; CREATE UNIQUE INDEX totals_n ON totals (n)",
    ),
    effects=(Effect("10-18", {"totals": Lock.ACCESS_EXCLUSIVE}, ("rewrite",)),),
    manual="https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html",
)
