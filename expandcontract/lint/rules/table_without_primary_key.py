"""A table has no primary key."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import AddConstraint, ConstraintKind, CreateTable, CreateTableAs


def check(action: CreateTable | CreateTableAs, scene: Scene) -> Iterator[Problem]:
    if isinstance(action, CreateTableAs):
        lacks = not action.materialized and not action.temporary
    else:
        keyed = any(each.kind is ConstraintKind.PRIMARY_KEY for each in action.constraints)
        exempt = action.parent or action.inherits or action.like or action.persistence == "temporary"
        lacks = not keyed and not exempt
    later = (each for statement in scene.later for each in statement.actions if isinstance(each, AddConstraint))
    added = any(each.table == action.table and each.constraint.kind is ConstraintKind.PRIMARY_KEY for each in later)
    if lacks and not added:
        yield Problem(
            f"{action.table} has no primary key: a Backfill has no ranges, and logical replication no row identity"
        )


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A table has no primary key",
    on=(
        CreateTable,
        CreateTableAs,
    ),
    check=check,
    why=("Rows can't be told apart by replication, by a Backfill, or by a person who has to mend one."),
    instead="A primary key.",
    bad=Example("CREATE TABLE visits (at timestamptz)"),
    good=Example("CREATE TABLE visits (id bigint PRIMARY KEY, at timestamptz)"),
    manual="https://www.postgresql.org/docs/current/ddl-constraints.html",
)
