"""A UNIQUE constraint builds its index under ACCESS EXCLUSIVE."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.identifier import listed
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddColumn, AddConstraint, ConstraintKind


def check(action: AddConstraint | AddColumn, scene: Scene) -> Iterator[Problem]:
    added = action.column.constraints if isinstance(action, AddColumn) else (action.constraint,)
    if not scene.is_live(action.table):
        return
    for constraint in added:
        if constraint.kind is ConstraintKind.UNIQUE and constraint.using_index is None:
            name = constraint.name or "<name>"
            yield Problem(
                f"nobody can read or write {action.table} until the index for {listed(constraint.columns)} is built",
                f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {action.table} "
                f"({', '.join(constraint.columns)}), "
                f"then ADD CONSTRAINT {name} UNIQUE USING INDEX {name}",
            )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A UNIQUE constraint builds its index under ACCESS EXCLUSIVE",
    on=(
        AddConstraint,
        AddColumn,
    ),
    check=check,
    why="ADD UNIQUE builds an index while every read and write of the table waits.",
    instead=("CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … UNIQUE USING INDEX, which is brief."),
    bad=Example(
        "ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email)",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, email text); CREATE UNIQUE INDEX users_email ON users (email)"
        ),
    ),
    good=Example(
        "ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, email text); CREATE UNIQUE INDEX users_email ON users (email)"
        ),
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("index build",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
