"""A table is emptied."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.identifier import listed
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Truncate


def check(action: Truncate, scene: Scene) -> Iterator[Problem]:
    live = [table for table in action.tables if scene.is_live(table)]
    if live:
        cascade = ", and of every table that references it" if action.cascade else ""
        yield Problem(f"TRUNCATE takes all rows of {listed(live)}{cascade}, under ACCESS EXCLUSIVE")


RULE = Rule(
    hazard=Hazard.DESTRUCTIVE,
    title="A table is emptied",
    on=(Truncate,),
    check=check,
    why=("TRUNCATE removes every row that running code still sees, under ACCESS EXCLUSIVE."),
    instead=("Delete in ranges with a Backfill; or truncate in contract(), when nobody uses the table any more."),
    bad=Example("TRUNCATE users", schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)"),
    good=Example(
        "DELETE FROM users WHERE id BETWEEN 1 AND 1000",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("rewrite",)),),
    manual="https://www.postgresql.org/docs/current/sql-truncate.html",
)
