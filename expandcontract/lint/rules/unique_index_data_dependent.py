"""Whether it succeeds depends on the data."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddConstraint, ConstraintKind, CreateIndex


def check(action: CreateIndex | AddConstraint, scene: Scene) -> Iterator[Problem]:
    unique = action.unique if isinstance(action, CreateIndex) else action.constraint.kind is ConstraintKind.UNIQUE
    if unique and scene.is_live(action.table):
        left = (
            "; CONCURRENTLY then leaves an INVALID index"
            if isinstance(action, CreateIndex) and action.concurrently
            else ""
        )
        yield Problem(f"it fails when {action.table} has duplicates{left}")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="Whether it succeeds depends on the data",
    on=(
        CreateIndex,
        AddConstraint,
    ),
    check=check,
    why="A duplicate makes the build fail, after all its work.",
    instead="Count duplicates first, and stop new ones from being written.",
    bad=Example(
        "CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
        in_transaction=False,
    ),
    good=Example(
        "CREATE INDEX CONCURRENTLY users_email ON users (email)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
        in_transaction=False,
    ),
    effects=(Effect("10-18", {"users": Lock.SHARE_UPDATE_EXCLUSIVE}, ("index build",)),),
    manual="https://www.postgresql.org/docs/current/indexes-unique.html",
)
