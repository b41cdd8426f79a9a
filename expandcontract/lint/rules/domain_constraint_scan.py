"""A domain gets a constraint that is checked at once."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.identifier import listed
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AlterDomain


def check(action: AlterDomain, scene: Scene) -> Iterator[Problem]:
    if action.change not in ("add constraint", "set not null") or not action.valid:
        return
    known = action.name in scene.schema.domains
    tables = sorted({table for table, _ in scene.schema.using_type(action.name) if scene.is_live(table)})
    if scene.is_live_object("domain", action.name) and (tables or not known):
        where = listed(tables) or f"every table with a column of type {action.name}"
        yield Problem(f"no write gets through to {where} while PostgreSQL checks every value")


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A domain gets a constraint that is checked at once",
    on=(AlterDomain,),
    check=check,
    why="Every table with a column of the domain is locked with SHARE and read.",
    instead=("ALTER DOMAIN … ADD CONSTRAINT … NOT VALID, then VALIDATE CONSTRAINT in another transaction."),
    bad=Example(
        "ALTER DOMAIN percentage ADD CONSTRAINT small CHECK (VALUE <= 100)",
        schema=("CREATE DOMAIN percentage AS integer; CREATE TABLE users (id bigint PRIMARY KEY, score percentage)"),
    ),
    good=Example(
        "ALTER DOMAIN percentage ADD CONSTRAINT small CHECK (VALUE <= 100) NOT VALID",
        schema=("CREATE DOMAIN percentage AS integer; CREATE TABLE users (id bigint PRIMARY KEY, score percentage)"),
    ),
    effects=(Effect("10-18", {"users": Lock.SHARE}, ("scan",)),),
    manual="https://www.postgresql.org/docs/current/sql-alterdomain.html",
)
