"""A column is json instead of jsonb."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.declared import declared_columns
from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import AddColumn, ChangeType, CreateTable


def check(action: CreateTable | AddColumn | ChangeType, scene: Scene) -> Iterator[Problem]:
    for name, declared in declared_columns(action):
        if declared.name == "json":
            yield Problem(f"{name} is json: it has no equality, so DISTINCT, GROUP BY and UNION fail on it")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A column is json instead of jsonb",
    on=(
        CreateTable,
        AddColumn,
        ChangeType,
    ),
    check=check,
    why=("json keeps the text and is parsed on every use; SELECT DISTINCT on it is an error."),
    instead="jsonb.",
    bad=Example("CREATE TABLE users (id bigint PRIMARY KEY, extra json)"),
    good=Example("CREATE TABLE users (id bigint PRIMARY KEY, extra jsonb)"),
    manual="https://www.postgresql.org/docs/current/datatype-json.html",
)
