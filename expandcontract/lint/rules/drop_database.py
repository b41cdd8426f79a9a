"""A database is dropped."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import Drop


def check(action: Drop, scene: Scene) -> Iterator[Problem]:
    if action.kind == "database" and scene.is_live_object(action.kind, action.name):
        yield Problem(f"code that uses the database {action.name} fails from that moment on")


RULE = Rule(
    hazard=Hazard.DESTRUCTIVE,
    title="A database is dropped",
    on=(Drop,),
    check=check,
    why=("Code that runs now, or that traffic may go back to, still uses the database; what it holds is gone as well."),
    instead="Never from a migration: drop a database by hand, after a backup.",
    bad=Example("DROP DATABASE billing", in_transaction=False),
    good=Example("CREATE TABLE users (id bigint PRIMARY KEY)", in_transaction=False),
    manual="https://www.postgresql.org/docs/current/sql-dropdatabase.html",
    in_contract=Severity.ERROR,
)
