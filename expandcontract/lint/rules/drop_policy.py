"""A row security policy is dropped."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Drop, SetPolicy


def check(action: Drop, scene: Scene) -> Iterator[Problem]:
    if action.kind != "policy" or action.table is None or not scene.is_live(action.table):
        return
    again = (each for each in scene.later_in_transaction() if isinstance(each, SetPolicy))
    if not any((each.table, each.name) == (action.table, action.name) for each in again):
        yield Problem(f"running code sees other rows of {action.table}: without a policy it sees none at all")


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="A row security policy is dropped",
    on=(Drop,),
    check=check,
    why=("With the last permissive policy every row vanishes; with a restrictive one rows appear that should not."),
    instead="Create the new policy in expand, drop the old one in contract.",
    bad=Example(
        "DROP POLICY tenant ON users",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE POLICY tenant ON "
            "users USING (true)"
        ),
    ),
    good=Example(
        "CREATE TABLE people (id bigint PRIMARY KEY)",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE POLICY tenant ON "
            "users USING (true)"
        ),
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-droppolicy.html",
)
