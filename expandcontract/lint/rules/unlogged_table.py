"""A table is unlogged."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import AlterRelation, CreateTable, TableChange


def check(action: CreateTable | AlterRelation, scene: Scene) -> Iterator[Problem]:
    made = isinstance(action, CreateTable) and action.persistence == "unlogged"
    if made or (isinstance(action, AlterRelation) and action.change is TableChange.SET_UNLOGGED):
        yield Problem(f"{action.table} is empty after a crash, and on every replica")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A table is unlogged",
    on=(
        CreateTable,
        AlterRelation,
    ),
    check=check,
    why=("Its rows are not in the write-ahead log: a crash empties it, replicas and backups never have it."),
    instead="An ordinary table, unless losing the rows is fine.",
    bad=Example("CREATE UNLOGGED TABLE visits (id bigint PRIMARY KEY)"),
    good=Example("CREATE TABLE visits (id bigint PRIMARY KEY)"),
    manual="https://www.postgresql.org/docs/current/sql-createtable.html",
)
