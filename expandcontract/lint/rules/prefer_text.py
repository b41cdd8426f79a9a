"""A text has a maximum length in its type."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.declared import declared_columns
from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import AddColumn, ChangeType, CreateTable


def check(action: CreateTable | AddColumn | ChangeType, scene: Scene) -> Iterator[Problem]:
    for name, declared in declared_columns(action):
        if declared.name == "varchar" and declared.modifiers:
            yield Problem(f"{name} is {declared}; a shorter limit later rewrites the table")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A text has a maximum length in its type",
    on=(
        CreateTable,
        AddColumn,
        ChangeType,
    ),
    check=check,
    why="text is as fast; a length in a CHECK can be changed without a rewrite.",
    instead="text, with a CHECK on the length where one is meant.",
    bad=Example("CREATE TABLE users (id bigint PRIMARY KEY, name varchar(40))"),
    good=Example("CREATE TABLE users (id bigint PRIMARY KEY, name text)"),
    manual="https://www.postgresql.org/docs/current/datatype-character.html",
)
