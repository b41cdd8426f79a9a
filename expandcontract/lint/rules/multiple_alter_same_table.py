"""Two ALTER TABLE in a row could be one."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Action


def check(action: Action, scene: Scene) -> Iterator[Problem]:
    before = scene.statements[scene.position - 1] if scene.position else None
    if before is None or scene.statement.tag != "AlterTableStmt" or before.tag != "AlterTableStmt":
        return
    table = getattr(action, "table", None)
    if action is scene.statement.actions[0] and table and table == getattr(before.actions[0], "table", None):
        yield Problem(f"{table} is altered by the statement before as well; one ALTER TABLE takes the lock once")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="Two ALTER TABLE in a row could be one",
    on=(Action,),
    check=check,
    why=("Each ALTER TABLE asks for its lock; one statement with several actions asks once."),
    instead="One ALTER TABLE with its actions separated by commas.",
    bad=Example(
        "ALTER TABLE users ADD COLUMN a text; ALTER TABLE users ADD COLUMN b text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN a text, ADD COLUMN b text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
