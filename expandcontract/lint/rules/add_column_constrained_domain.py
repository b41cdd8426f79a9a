"""A column of a domain with a constraint is added."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddColumn


def check(action: AddColumn, scene: Scene) -> Iterator[Problem]:
    domain = scene.schema.domain_of(action.column.type)
    if domain and domain.constrained and scene.is_live(action.table) and scene.effects.rewrites:
        yield Problem(
            f"the domain {action.column.type} has a constraint, so PostgreSQL writes every row of "
            f"{action.table} anew to check it",
            f"ADD COLUMN {action.column.name} {domain.type}, with the condition as CHECK … NOT VALID, "
            "and VALIDATE it later",
        )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A column of a domain with a constraint is added",
    on=(AddColumn,),
    check=check,
    why=(
        "A domain with a CHECK or NOT NULL makes ADD COLUMN rewrite the table under ACCESS "
        "EXCLUSIVE, with or without a default."
    ),
    instead=("A column of the base type, the condition as a CHECK … NOT VALID, validated in a later part."),
    bad=Example(
        "ALTER TABLE users ADD COLUMN score percentage",
        schema=(
            "CREATE DOMAIN percentage AS integer CHECK (VALUE BETWEEN 0 AND 100); CREATE TABLE users (id "
            "bigint PRIMARY KEY)"
        ),
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN score integer",
        schema=(
            "CREATE DOMAIN percentage AS integer CHECK (VALUE BETWEEN 0 AND 100); CREATE TABLE users (id "
            "bigint PRIMARY KEY)"
        ),
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("rewrite",)),),
    manual="https://www.postgresql.org/docs/current/sql-createdomain.html",
)
