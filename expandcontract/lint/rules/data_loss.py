"""Contents are thrown away without a DROP."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import ChangeType, RefreshMatview


def check(action: RefreshMatview | ChangeType, scene: Scene) -> Iterator[Problem]:
    if isinstance(action, RefreshMatview):
        if not action.with_data and scene.is_live(action.name):
            yield Problem(f"{action.name} is emptied, and reading it fails until it is filled again")
    elif action.using is not None and action.using.is_null and scene.is_live(action.table):
        yield Problem(f"every value of {action.table}.{action.column} is replaced by NULL")


RULE = Rule(
    hazard=Hazard.DESTRUCTIVE,
    title="Contents are thrown away without a DROP",
    on=(
        RefreshMatview,
        ChangeType,
    ),
    check=check,
    why="The statement leaves the object and takes what is in it.",
    instead=("Refresh with data, CONCURRENTLY; convert values with a Backfill into a new column."),
    bad=Example(
        "REFRESH MATERIALIZED VIEW totals WITH NO DATA",
        schema="CREATE MATERIALIZED VIEW totals AS SELECT 1 AS n; CREATE UNIQUE INDEX totals_n ON totals (n)",
    ),
    good=Example(
        "REFRESH MATERIALIZED VIEW CONCURRENTLY totals",
        schema="CREATE MATERIALIZED VIEW totals AS SELECT 1 AS n; CREATE UNIQUE INDEX totals_n ON totals (n)",
    ),
    effects=(Effect("10-18", {"totals": Lock.ACCESS_EXCLUSIVE}, ("rewrite",)),),
    manual="https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html",
)
