"""A hash index is created."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import CreateIndex


def check(action: CreateIndex, scene: Scene) -> Iterator[Problem]:
    if action.method == "hash":
        yield Problem(f"a hash index on {action.table} serves only =, can't be unique and can't hold several columns")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A hash index is created",
    on=(CreateIndex,),
    check=check,
    why="A btree does all that a hash index does, and more, at about the same speed.",
    instead="USING btree, the default.",
    bad=Example(
        "CREATE INDEX CONCURRENTLY users_email ON users USING hash (email)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
        in_transaction=False,
    ),
    good=Example(
        "CREATE INDEX CONCURRENTLY users_email ON users (email)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
        in_transaction=False,
    ),
    effects=(Effect("10-18", {"users": Lock.SHARE_UPDATE_EXCLUSIVE}, ("index build",)),),
    manual="https://www.postgresql.org/docs/current/indexes-types.html",
)
