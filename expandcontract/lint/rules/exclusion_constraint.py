"""An exclusion constraint is added to a table in use."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddConstraint, ConstraintKind


def check(action: AddConstraint, scene: Scene) -> Iterator[Problem]:
    if action.constraint.kind is ConstraintKind.EXCLUDE and scene.is_live(action.table):
        yield Problem(f"nobody can read or write {action.table} until the index of the exclusion constraint is built")


RULE = Rule(
    hazard=Hazard.LOCKING,
    title="An exclusion constraint is added to a table in use",
    on=(AddConstraint,),
    check=check,
    why=("ADD EXCLUDE builds its index under ACCESS EXCLUSIVE, and PostgreSQL has no concurrent form of it."),
    instead=(
        "No way without a lock is known. Make a new table with the constraint and move the rows "
        "with a Sync and a Backfill."
    ),
    bad=Example(
        "ALTER TABLE bookings ADD CONSTRAINT one_at_a_time EXCLUDE USING gist (slot WITH &&)",
        schema="CREATE TABLE bookings (slot tstzrange)",
    ),
    good=Example(
        "CREATE TABLE bookings_2 (slot tstzrange, EXCLUDE USING gist (slot WITH &&))",
        schema="CREATE TABLE bookings (slot tstzrange)",
    ),
    effects=(Effect("10-18", {"bookings": Lock.ACCESS_EXCLUSIVE}, ("index build",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
