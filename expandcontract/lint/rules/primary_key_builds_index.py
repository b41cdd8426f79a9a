"""A primary key builds its index under ACCESS EXCLUSIVE."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddColumn, AddConstraint, ConstraintKind


def check(action: AddConstraint | AddColumn, scene: Scene) -> Iterator[Problem]:
    added = action.column.constraints if isinstance(action, AddColumn) else (action.constraint,)
    if not scene.is_live(action.table):
        return
    for constraint in added:
        if constraint.kind is ConstraintKind.PRIMARY_KEY and constraint.using_index is None:
            yield Problem(f"nobody can read or write {action.table} until the index of its primary key is built")


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A primary key builds its index under ACCESS EXCLUSIVE",
    on=(
        AddConstraint,
        AddColumn,
    ),
    check=check,
    why=("ADD PRIMARY KEY builds an index, and reads the table for NULLs, while every read and write waits."),
    instead=(
        "CREATE UNIQUE INDEX CONCURRENTLY, prove the columns NOT NULL, then ADD CONSTRAINT … PRIMARY KEY USING INDEX."
    ),
    bad=Example(
        "ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY (id)",
        schema="CREATE TABLE users (id bigint NOT NULL); CREATE UNIQUE INDEX users_id ON users (id)",
    ),
    good=Example(
        "ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_id",
        schema="CREATE TABLE users (id bigint NOT NULL); CREATE UNIQUE INDEX users_id ON users (id)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("index build",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
