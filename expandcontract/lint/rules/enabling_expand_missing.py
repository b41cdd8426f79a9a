"""A column is removed that new code can't leave out."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.domain.phase import Phase
from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import Drop, DropColumn


def check(action: DropColumn, scene: Scene) -> Iterator[Problem]:
    known = scene.schema.column(action.table, action.column)
    if scene.phase is not Phase.CONTRACT or known is None or not scene.is_live_column(action.table, action.column):
        return
    if _is_kept_current(action, scene):
        return
    if known.not_null and not known.has_default and known.generated is None:
        yield Problem(
            f"until this runs, code that no longer knows {action.table}.{action.column} can't INSERT: "
            "it is NOT NULL without a default",
            f"in upgrade(): ALTER TABLE {action.table} ALTER COLUMN {action.column} DROP NOT NULL",
        )


def _is_kept_current(action: DropColumn, scene: Scene) -> bool:
    """Whether a trigger fills the column for code that leaves it out, until this same contract."""
    table = scene.schema.table(action.table)
    dropped = (done.action for done in scene.done if isinstance(done.action, Drop))
    return bool(table and table.triggers) or any(
        (each.kind, each.table) == ("trigger", action.table) for each in dropped
    )


RULE = Rule(
    hazard=Hazard.PHASE,
    title="A column is removed that new code can't leave out",
    on=(DropColumn,),
    check=check,
    why=(
        "New code runs for the whole rollback window before the contract; its INSERTs fail on a "
        "NOT NULL column without default."
    ),
    instead=("In upgrade() of the same change drop the NOT NULL, or give the column a default."),
    bad=Example(
        "ALTER TABLE users DROP COLUMN name",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL)",
    ),
    good=Example(
        "ALTER TABLE users DROP COLUMN name",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
