"""SET NOT NULL reads the whole table."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AlterColumn, ColumnChange


def check(action: AlterColumn, scene: Scene) -> Iterator[Problem]:
    if action.change is not ColumnChange.SET_NOT_NULL or not scene.is_live(action.table) or not scene.effects.scans:
        return
    column, table = action.column, action.table
    recipe = (
        f"ADD CONSTRAINT {column.strip(chr(34))}_given CHECK ({column} IS NOT NULL) NOT VALID; "
        "VALIDATE it in another "
        "transaction; then SET NOT NULL, which finds the proof; then drop the CHECK"
    )
    if scene.version < 12:
        recipe = f"keep the CHECK ({column} IS NOT NULL): PostgreSQL {scene.version} doesn't use it as a proof"
    yield Problem(f"nobody can read or write {table} while PostgreSQL looks for a NULL in {column}", recipe)


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="SET NOT NULL reads the whole table",
    on=(AlterColumn,),
    check=check,
    why=(
        "SET NOT NULL checks every row under ACCESS EXCLUSIVE, unless (from PostgreSQL 12) a "
        "validated CHECK already proves it."
    ),
    instead=("CHECK (… IS NOT NULL) NOT VALID; VALIDATE; SET NOT NULL; DROP CONSTRAINT, each in its own part."),
    bad=Example(
        "ALTER TABLE users ALTER COLUMN email SET NOT NULL",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, email text)",
    ),
    good=Example(
        "ALTER TABLE users ALTER COLUMN email SET NOT NULL",
        schema=("CREATE TABLE users (id bigint PRIMARY KEY, email text, CONSTRAINT given CHECK (email IS NOT NULL))"),
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("scan",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
