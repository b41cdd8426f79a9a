"""A foreign key is added and validated at once."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddColumn, AddConstraint, AlterConstraint


def check(action: AddConstraint | AddColumn | AlterConstraint, scene: Scene) -> Iterator[Problem]:
    if not scene.effects.checks_keys or not scene.is_live(action.table):
        return
    if isinstance(action, AddColumn):
        yield Problem(
            f"{action.column.name} has a default, so PostgreSQL looks up a key for every row of {action.table}",
            f"ADD COLUMN {action.column.name} first; then the foreign key NOT VALID; then VALIDATE it "
            "in another transaction",
        )
    elif isinstance(action, AlterConstraint):
        yield Problem(f"enforcing {action.name} looks up a key for every row of {action.table}")
    else:
        other = action.constraint.references
        yield Problem(
            f"no write to {action.table} or {other} gets through while PostgreSQL looks up every key",
            f"ADD CONSTRAINT {action.constraint.name or '<name>'} FOREIGN KEY … REFERENCES {other} NOT "
            "VALID, "
            "then VALIDATE CONSTRAINT in another transaction",
        )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A foreign key is added and validated at once",
    on=(
        AddConstraint,
        AddColumn,
        AlterConstraint,
    ),
    check=check,
    why=(
        "Validating a foreign key reads the whole table, with SHARE ROW EXCLUSIVE on both tables "
        "(and ACCESS EXCLUSIVE on the child where it comes with a column)."
    ),
    instead=("ADD CONSTRAINT … FOREIGN KEY … NOT VALID, and VALIDATE CONSTRAINT in another transaction."),
    bad=Example(
        "ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id)",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY); CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint)"
        ),
    ),
    good=Example(
        "ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY); CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint)"
        ),
    ),
    effects=(Effect("10-18", {"orders": Lock.SHARE_ROW_EXCLUSIVE, "users": Lock.SHARE_ROW_EXCLUSIVE}, ("key check",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
