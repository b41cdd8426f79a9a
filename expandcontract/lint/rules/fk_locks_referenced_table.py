"""A foreign key locks the table it points at."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.declared import new_foreign_keys
from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddColumn, AddConstraint, CreateTable


def check(action: CreateTable | AddConstraint | AddColumn, scene: Scene) -> Iterator[Problem]:
    for key, _ in new_foreign_keys(action):
        if key.references and key.references != action.table and scene.is_live(key.references):
            yield Problem(
                f"writes to {key.references} wait while the foreign key is made: SHARE ROW EXCLUSIVE, briefly"
            )


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A foreign key locks the table it points at",
    on=(
        CreateTable,
        AddConstraint,
        AddColumn,
    ),
    check=check,
    why="The lock is brief, but it waits for every transaction that has written there.",
    instead="A short lock_timeout, and one foreign key per transaction.",
    bad=Example(
        "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id))",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.SHARE_ROW_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/ddl-constraints.html",
)
