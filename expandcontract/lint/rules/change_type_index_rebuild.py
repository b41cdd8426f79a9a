"""A type change rebuilds indexes."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import ChangeType


def check(action: ChangeType, scene: Scene) -> Iterator[Problem]:
    if scene.is_live(action.table) and not scene.effects.rewrites and scene.effects.builds_index:
        yield Problem(f"the rows stay, but the indexes on {action.table}.{action.column} are rebuilt under the lock")


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="A type change rebuilds indexes",
    on=(ChangeType,),
    check=check,
    why=(
        "Another collation, other operators, or an index on an expression: the index is built "
        "anew under ACCESS EXCLUSIVE."
    ),
    instead=(
        "A new column with a Sync and a Backfill and an index built CONCURRENTLY; or drop the "
        "index concurrently before and build it concurrently after, if its queries can do "
        "without."
    ),
    bad=Example(
        'ALTER TABLE users ALTER COLUMN email TYPE text COLLATE "C"',
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(80)); CREATE INDEX users_email ON users (email)"
        ),
    ),
    good=Example(
        "ALTER TABLE users ALTER COLUMN email TYPE text",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(80)); CREATE INDEX users_email ON users (email)"
        ),
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("index build",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
