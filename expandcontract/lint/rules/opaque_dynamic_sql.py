"""SQL is put together when it runs."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import Dynamic


def check(action: Dynamic, scene: Scene) -> Iterator[Problem]:
    yield Problem(f"{action.where}: what it runs is put together when it runs, and nobody can judge it beforehand")


RULE = Rule(
    hazard=Hazard.TRANSACTION,
    title="SQL is put together when it runs",
    on=(Dynamic,),
    check=check,
    why="Neither a reviewer nor this linter can see what the statement will be.",
    instead=("Plain statements; where they must differ from database to database, one revision for each case."),
    bad=Example(
        "DO $$ BEGIN EXECUTE format('ALTER TABLE %I ADD COLUMN tier text', current_user); END $$",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    manual="https://www.postgresql.org/docs/current/plpgsql-statements.html",
)
