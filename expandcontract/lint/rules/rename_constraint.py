"""A constraint is renamed."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Rename


def check(action: Rename, scene: Scene) -> Iterator[Problem]:
    if action.kind == "tabconstraint" and action.relation and scene.is_live(action.relation):
        yield Problem(f"ON CONFLICT ON CONSTRAINT {action.old} and error handling by that name no longer find it")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A constraint is renamed",
    on=(Rename,),
    check=check,
    why="Code may name it in ON CONFLICT, or look for it in an error.",
    instead="Leave the name, or make sure that nothing uses it.",
    bad=Example(
        "ALTER TABLE users RENAME CONSTRAINT users_pkey TO users_pk",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN tier text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
