"""Dropping a table locks the tables that it references."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.identifier import listed
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Drop


def check(action: Drop, scene: Scene) -> Iterator[Problem]:
    if action.kind != "table" or not scene.is_live(action.name):
        return
    others = [
        table
        for table in scene.schema.referenced(action.name)
        if scene.is_live(table) and not scene.is_dropped_later(table)
    ]
    if others:
        yield Problem(
            f"{action.name} references {listed(others)}: dropping it takes ACCESS EXCLUSIVE there as well",
            f"drop the foreign keys of {action.name} first, one per transaction, then the table",
        )


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="Dropping a table locks the tables that it references",
    on=(Drop,),
    check=check,
    why=("A foreign key puts triggers on the referenced table; dropping them takes ACCESS EXCLUSIVE on it."),
    instead="Drop the foreign keys one by one, each in its own part, then the table.",
    bad=Example(
        "DROP TABLE orders",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY); CREATE TABLE orders (id bigint PRIMARY KEY, "
            "user_id bigint REFERENCES users (id))"
        ),
    ),
    good=Example("DROP TABLE orders", schema="CREATE TABLE orders (id bigint PRIMARY KEY)"),
    effects=(Effect("10-18", {"orders": Lock.ACCESS_EXCLUSIVE, "users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-droptable.html",
)
