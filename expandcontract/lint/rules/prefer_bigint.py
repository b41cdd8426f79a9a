"""A number is narrower than bigint."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.declared import declared_columns
from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import AddColumn, ChangeType, CreateTable


def check(action: CreateTable | AddColumn | ChangeType, scene: Scene) -> Iterator[Problem]:
    for name, declared in declared_columns(action):
        if declared.name in ("int2", "int4", "serial", "serial4", "smallserial", "serial2"):
            yield Problem(f"{name} is {declared}, and widening it later rewrites the table")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A number is narrower than bigint",
    on=(
        CreateTable,
        AddColumn,
        ChangeType,
    ),
    check=check,
    why=("A column that outgrows integer must be rewritten; four bytes saved are rarely worth it."),
    instead="bigint.",
    bad=Example("CREATE TABLE orders (id bigint PRIMARY KEY, quantity integer)"),
    good=Example("CREATE TABLE orders (id bigint PRIMARY KEY, quantity bigint)"),
    manual="https://www.postgresql.org/docs/current/datatype-numeric.html",
)
