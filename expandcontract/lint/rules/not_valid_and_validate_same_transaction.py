"""A constraint is added NOT VALID and validated in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.known import default_name
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Action, AddConstraint, ValidateConstraint


def check(action: ValidateConstraint, scene: Scene) -> Iterator[Problem]:
    for earlier in (*(done.action for done in scene.done), *scene.statement.actions):
        same_table = isinstance(earlier, AddConstraint) and earlier.table == action.table
        if same_table and scene.is_live(action.table) and _adds(earlier, action.name):
            yield Problem(f"the strong lock that added {action.name} is kept while every row of {action.table} is read")
            return


def _adds(action: Action, name: str) -> bool:
    """Whether the action added the constraint of this name, which it may have left unnamed."""
    if not isinstance(action, AddConstraint) or action.constraint.valid:
        return False
    return name == (action.constraint.name or default_name(action.table, action.constraint))


RULE = Rule(
    hazard=Hazard.TRANSACTION,
    title="A constraint is added NOT VALID and validated in the same transaction",
    on=(ValidateConstraint,),
    check=check,
    why=("VALIDATE alone lets reads and writes go on; after the ADD in the same transaction its lock is still held."),
    instead="VALIDATE CONSTRAINT in a part of its own.",
    bad=Example(
        "ALTER TABLE users ADD CONSTRAINT given CHECK (email IS NOT NULL) NOT VALID; ALTER TABLE "
        "users VALIDATE CONSTRAINT given",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users ADD CONSTRAINT given CHECK (email IS NOT NULL) NOT VALID",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("scan",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
