"""A primary key is put on columns that allow NULL."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.columns import not_null_is_proven
from expandcontract.lint.server.constraints import key_columns
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddConstraint, ConstraintKind


def check(action: AddConstraint, scene: Scene) -> Iterator[Problem]:
    constraint = action.constraint
    if constraint.kind is not ConstraintKind.PRIMARY_KEY or not scene.is_live(action.table):
        return
    for column in key_columns(constraint, action.table, scene.schema):
        known = scene.schema.column(action.table, column)
        if known and not known.not_null and not not_null_is_proven(action.table, column, scene.server):
            yield Problem(
                f"{column} allows NULL, so PostgreSQL reads all of {action.table} before it is the primary key",
                f"first prove it: ADD CHECK ({column} IS NOT NULL) NOT VALID, VALIDATE, ALTER COLUMN "
                f"{column} SET NOT NULL",
            )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A primary key is put on columns that allow NULL",
    on=(AddConstraint,),
    check=check,
    why=(
        "A primary key implies SET NOT NULL, which reads the whole table under ACCESS EXCLUSIVE "
        "unless a CHECK proves it."
    ),
    instead=("Prove and set NOT NULL first: CHECK … NOT VALID, VALIDATE, SET NOT NULL, each in its own part."),
    bad=Example(
        "ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_id",
        schema="CREATE TABLE users (id bigint); CREATE UNIQUE INDEX users_id ON users (id)",
    ),
    good=Example(
        "ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_id",
        schema="CREATE TABLE users (id bigint NOT NULL); CREATE UNIQUE INDEX users_id ON users (id)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("scan",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
