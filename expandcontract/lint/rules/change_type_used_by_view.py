"""The type of a column is changed that a view or trigger depends on."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import ChangeType


def check(action: ChangeType, scene: Scene) -> Iterator[Problem]:
    for user in _users(action, scene):
        yield Problem(f"PostgreSQL refuses to change the type of {action.table}.{action.column}: {user} depends on it")
        return


def _users(action: ChangeType, scene: Scene) -> Iterator[str]:
    """Give what depends on the column so that its type can't change."""
    for view in scene.schema.views_reading(action.table, action.column):
        yield f"the view {view}"
    table = scene.schema.table(action.table)
    if table is None:
        return
    for name, column in table.columns.items():
        if action.column in column.reads:
            yield f"the generated column {name}"
    for name, trigger in table.triggers.items():
        if action.column in trigger.columns:
            yield f"the trigger {name}"
    for kind, readers in (("policy", table.policies), ("rule", table.rules)):
        for name, columns in readers.items():
            if action.column in columns:
                yield f"the {kind} {name}"
    if action.column in table.partition_key:
        yield "the partition key"


RULE = Rule(
    hazard=Hazard.FAILURE,
    title="The type of a column is changed that a view or trigger depends on",
    on=(ChangeType,),
    check=check,
    why=(
        "PostgreSQL refuses it while a view, a rule, a generated column, a policy or a trigger's "
        "definition reads the column."
    ),
    instead=("A new column with a Sync and a Backfill; views read whichever column they should."),
    bad=Example(
        "ALTER TABLE users ALTER COLUMN name TYPE varchar",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE VIEW people AS "
            "SELECT id, name FROM users"
        ),
    ),
    good=Example(
        "ALTER TABLE users ALTER COLUMN email TYPE varchar",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE VIEW people AS "
            "SELECT id, name FROM users"
        ),
    ),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
