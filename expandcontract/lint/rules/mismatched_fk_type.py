"""A foreign key joins different types."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.declared import declared_columns, new_foreign_keys
from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddColumn, AddConstraint, CreateTable


def check(action: CreateTable | AddConstraint | AddColumn, scene: Scene) -> Iterator[Problem]:
    declared = dict(declared_columns(action))
    for key, _ in new_foreign_keys(action):
        other = key.referenced_columns[:1] or ("id",)
        known = scene.schema.column(action.table, key.columns[0])
        own = declared.get(key.columns[0]) or (known.type if known else None)
        parent = scene.schema.column(key.references or "", other[0])
        if own and parent and own.stored.name != parent.type.name:
            yield Problem(f"{key.columns[0]} is {own}, {key.references}.{other[0]} is {parent.type}")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A foreign key joins different types",
    on=(
        CreateTable,
        AddConstraint,
        AddColumn,
    ),
    check=check,
    why=("Values of the wider type can't be stored, joins convert, and widening later rewrites the table."),
    instead="The type of the referenced column.",
    bad=Example(
        "CREATE TABLE orders (id bigint PRIMARY KEY, user_id integer REFERENCES users (id))",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id))",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.SHARE_ROW_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/ddl-constraints.html",
)
