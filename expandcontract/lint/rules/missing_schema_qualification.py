"""An object is created without naming its schema."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import CreateFunction, CreateTable, CreateView


def check(action: CreateTable | CreateView | CreateFunction, scene: Scene) -> Iterator[Problem]:
    name = action.table if isinstance(action, CreateTable) else action.name
    temporary = isinstance(action, CreateTable) and action.persistence == "temporary"
    if "." not in name and not temporary and b"public" not in scene.statement.source:
        yield Problem(f"{name} lands in whatever schema comes first in search_path")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="An object is created without naming its schema",
    on=(
        CreateTable,
        CreateView,
        CreateFunction,
    ),
    check=check,
    why=("Where the object lands depends on a setting of the session. This rule is off unless it is configured."),
    instead="schema.name.",
    bad=Example("CREATE TABLE users (id bigint PRIMARY KEY)"),
    good=Example("CREATE TABLE app.users (id bigint PRIMARY KEY)", schema="CREATE SCHEMA app"),
    manual="https://www.postgresql.org/docs/current/ddl-schemas.html",
    severity=Severity.OFF,
)
