"""A timestamp has no time zone."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.declared import declared_columns
from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import AddColumn, ChangeType, CreateTable


def check(action: CreateTable | AddColumn | ChangeType, scene: Scene) -> Iterator[Problem]:
    for name, declared in declared_columns(action):
        if declared.name == "timestamp":
            yield Problem(f"{name} is a timestamp without time zone: what moment it means depends on who reads it")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A timestamp has no time zone",
    on=(
        CreateTable,
        AddColumn,
        ChangeType,
    ),
    check=check,
    why=("timestamp stores what a clock on some wall showed; timestamptz stores the moment."),
    instead="timestamptz.",
    bad=Example("CREATE TABLE users (id bigint PRIMARY KEY, seen timestamp)"),
    good=Example("CREATE TABLE users (id bigint PRIMARY KEY, seen timestamptz)"),
    manual="https://www.postgresql.org/docs/current/datatype-datetime.html",
)
