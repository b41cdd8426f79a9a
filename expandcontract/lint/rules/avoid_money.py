"""A column is money."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.declared import declared_columns
from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import AddColumn, ChangeType, CreateTable


def check(action: CreateTable | AddColumn | ChangeType, scene: Scene) -> Iterator[Problem]:
    for name, declared in declared_columns(action):
        if declared.name == "money":
            yield Problem(f"what {name} holds depends on lc_monetary")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A column is money",
    on=(
        CreateTable,
        AddColumn,
        ChangeType,
    ),
    check=check,
    why=("Its currency and number of decimals are a setting of the server, not part of the value."),
    instead="numeric, and the currency in a column of its own.",
    bad=Example("CREATE TABLE orders (id bigint PRIMARY KEY, total money)"),
    good=Example("CREATE TABLE orders (id bigint PRIMARY KEY, total numeric)"),
    manual="https://www.postgresql.org/docs/current/datatype-money.html",
)
