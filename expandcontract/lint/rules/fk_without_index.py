"""A foreign key has no index on its side."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.declared import new_foreign_keys
from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddColumn, AddConstraint, ConstraintKind, CreateIndex, CreateTable


def check(action: CreateTable | AddConstraint | AddColumn, scene: Scene) -> Iterator[Problem]:
    for key, own in new_foreign_keys(action):
        after = {index.columns[:1] for index in scene.schema.indexes_of(action.table)}
        after |= {each.columns[:1] for each in own if each.kind in (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE)}
        later = (each for statement in scene.later for each in statement.actions if isinstance(each, CreateIndex))
        after |= {each.columns[:1] for each in later if each.table == action.table}
        if key.columns[:1] not in after:
            columns = ", ".join(key.columns)
            yield Problem(
                f"a DELETE or a changed key in {key.references} reads all of {action.table}",
                f"CREATE INDEX CONCURRENTLY ON {action.table} ({columns})",
            )


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A foreign key has no index on its side",
    on=(
        CreateTable,
        AddConstraint,
        AddColumn,
    ),
    check=check,
    why=("PostgreSQL indexes the referenced columns only; every DELETE of a parent row looks for children."),
    instead="CREATE INDEX CONCURRENTLY on the referencing columns, before the foreign key.",
    bad=Example(
        "ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE TABLE orders (id "
            "bigint PRIMARY KEY, user_id bigint)"
        ),
    ),
    good=Example(
        "ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE TABLE orders (id "
            "bigint PRIMARY KEY, user_id bigint); CREATE INDEX orders_user_id ON orders (user_id)"
        ),
    ),
    effects=(Effect("10-18", {"orders": Lock.SHARE_ROW_EXCLUSIVE, "users": Lock.SHARE_ROW_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/ddl-constraints.html",
)
