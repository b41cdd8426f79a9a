"""A column is added that every INSERT must give."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddColumn


def check(action: AddColumn, scene: Scene) -> Iterator[Problem]:
    column = action.column
    domain = scene.schema.domain_of(column.type)
    if not column.not_null or column.has_default or (domain and domain.has_default) or not scene.is_live(action.table):
        return
    if action.if_not_exists and scene.schema.column(action.table, column.name):
        return
    yield Problem(
        f"it fails when {action.table} has a row; and INSERTs that don't know {column.name} fail ever after",
        f"ADD COLUMN {column.name} {column.type} (nullable) or with a DEFAULT; in contract, when every "
        "row and every "
        "release has a value: CHECK … NOT VALID, VALIDATE, SET NOT NULL",
    )


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="A column is added that every INSERT must give",
    on=(AddColumn,),
    check=check,
    why=("The rows that exist have no value, and running code doesn't know the column. DEFAULT NULL is no default."),
    instead=("Add it nullable or with a DEFAULT; backfill; SET NOT NULL with a proof in contract."),
    bad=Example(
        "ALTER TABLE users ADD COLUMN tier text NOT NULL",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN tier text NOT NULL DEFAULT 'free'",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}, ("scan",)),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
    in_contract=Severity.ERROR,
)
