"""Many rows are copied in one transaction."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.identifier import listed
from expandcontract.lint.rows import is_keyed
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import BOOKKEEPING, Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import CreateTableAs, Write


def check(action: Write | CreateTableAs, scene: Scene) -> Iterator[Problem]:
    sources = [source for source in action.sources if scene.is_live(source)]
    if isinstance(action, CreateTableAs):
        bulk = action.with_data and not action.materialized and not action.temporary and bool(sources)
        target = action.table
    else:
        bulk = _copies(action, scene, bool(sources))
        target = action.table
    if bulk:
        origin = f" from {listed(sources)}" if sources else ""
        yield Problem(f"rows{origin} are copied into {target} in one long transaction")


def _copies(action: Write, scene: Scene, from_live: bool) -> bool:
    """Whether a write takes in as many rows as there happen to be elsewhere."""
    if action.table == BOOKKEEPING:
        return False
    if action.verb == "copy":
        return scene.is_live(action.table)
    if action.verb == "insert":
        return from_live and not action.limited and not _source_is_keyed(action, scene)
    return action.verb == "merge" and scene.is_live(action.table)


def _source_is_keyed(action: Write, scene: Scene) -> bool:
    return any(is_keyed(action.with_(table=source), scene.schema) for source in action.sources)


RULE = Rule(
    hazard=Hazard.TRANSACTION,
    title="Many rows are copied in one transaction",
    on=(
        Write,
        CreateTableAs,
    ),
    check=check,
    why=("One transaction that lasts as long as the copy holds back vacuum everywhere and keeps its locks."),
    instead=("A Backfill, which copies in ranges of the key; or a Sync with a Backfill for a table that lives on."),
    bad=Example(
        "INSERT INTO archive SELECT * FROM users",
        schema=("CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE TABLE archive (LIKE users)"),
    ),
    good=Example(
        "INSERT INTO archive SELECT * FROM users WHERE id BETWEEN 1 AND 1000",
        schema=("CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE TABLE archive (LIKE users)"),
    ),
    effects=(Effect("10-18", {"archive": Lock.ROW_EXCLUSIVE, "users": Lock.ACCESS_SHARE}),),
    manual="https://www.postgresql.org/docs/current/sql-insert.html",
)
