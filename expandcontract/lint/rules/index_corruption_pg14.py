"""An index is built CONCURRENTLY on PostgreSQL 14.0 to 14.3."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import CreateIndex, Reindex


def check(action: CreateIndex | Reindex, scene: Scene) -> Iterator[Problem]:
    if action.concurrently and scene.version == 14 and scene.minor is not None and scene.minor < 4:
        yield Problem(f"PostgreSQL 14.{scene.minor} may leave rows out of an index that it builds CONCURRENTLY")


RULE = Rule(
    hazard=Hazard.FAILURE,
    title="An index is built CONCURRENTLY on PostgreSQL 14.0 to 14.3",
    on=(
        CreateIndex,
        Reindex,
    ),
    check=check,
    why="These versions may leave rows out of the index, silently.",
    instead="Upgrade to 14.4 or newer first, and check existing indexes with amcheck.",
    bad=Example(
        "CREATE INDEX CONCURRENTLY users_email ON users (email)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
        in_transaction=False,
        version="14.3",
    ),
    good=Example(
        "CREATE INDEX CONCURRENTLY users_email ON users (email)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
        in_transaction=False,
        version="14.4",
    ),
    manual="https://www.postgresql.org/docs/release/14.4/",
)
