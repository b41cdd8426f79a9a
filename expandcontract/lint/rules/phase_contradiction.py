"""A backfill changes the schema."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.domain.phase import Phase
from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import Action

_SCHEMA_TAGS = (
    "Create",
    "Alter",
    "Drop",
    "Rename",
    "Index",
    "View",
    "Rule",
    "Comment",
    "Grant",
    "Reindex",
    "Composite",
)


def check(action: Action, scene: Scene) -> Iterator[Problem]:
    if scene.phase is not Phase.BACKFILL or action is not scene.statement.actions[0]:
        return
    if scene.statement.tag.startswith(_SCHEMA_TAGS) and scene.statement.tag != "CreateTableAsStmt":
        yield Problem("a backfill changes data only; this changes the schema, and it runs again with every range")


RULE = Rule(
    hazard=Hazard.PHASE,
    title="A backfill changes the schema",
    on=(Action,),
    check=check,
    why=(
        "The backfill phase moves rows, in ranges, again and again until none is left; schema "
        "belongs into expand or contract."
    ),
    instead=(
        "Move the statement to upgrade() (what old code can't notice) or to contract() (what takes something away)."
    ),
    bad=Example(
        "ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "UPDATE users SET tier = 1 WHERE id BETWEEN 1 AND 1000",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text, tier integer)",
    ),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
