"""A column is char(n)."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.declared import declared_columns
from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import AddColumn, ChangeType, CreateTable


def check(action: CreateTable | AddColumn | ChangeType, scene: Scene) -> Iterator[Problem]:
    for name, declared in declared_columns(action):
        if declared.name == "bpchar" and declared.modifiers:
            yield Problem(f"{name} is padded with blanks to {declared}, and any other length later rewrites the table")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A column is char(n)",
    on=(
        CreateTable,
        AddColumn,
        ChangeType,
    ),
    check=check,
    why="char(n) pads with blanks, compares oddly and isn't binary compatible with text.",
    instead="text, with a CHECK on the length where one is meant.",
    bad=Example("CREATE TABLE users (id bigint PRIMARY KEY, country char(2))"),
    good=Example("CREATE TABLE users (id bigint PRIMARY KEY, country text)"),
    manual="https://www.postgresql.org/docs/current/datatype-character.html",
)
