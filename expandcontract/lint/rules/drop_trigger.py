"""A trigger is dropped."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import CreateTrigger, Drop, Rename


def check(action: Drop | Rename, scene: Scene) -> Iterator[Problem]:
    if isinstance(action, Rename):
        if action.kind == "trigger" and action.relation and scene.is_live(action.relation):
            yield Problem(f"whatever switches or drops the trigger {action.old} by its name no longer finds it")
        return
    if action.kind not in ("trigger", "rule") or action.table is None or not scene.is_live(action.table):
        return
    again = (each for each in scene.later_in_transaction() if isinstance(each, CreateTrigger))
    replaced = any((each.table, each.name) == (action.table, action.name) for each in again)
    if not replaced and not scene.schema.is_fresh(action.kind, f"{action.table}.{action.name}"):
        yield Problem(f"what {action.name} did on {action.table} for running code no longer happens")


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="A trigger is dropped",
    on=(
        Drop,
        Rename,
    ),
    check=check,
    why=("Running code may rely on what the trigger does; a sync trigger keeps the other shape current."),
    instead=(
        "Drop it in contract(), before the columns that it writes; to change it, CREATE OR "
        "REPLACE TRIGGER (PostgreSQL 14)."
    ),
    bad=Example(
        "DROP TRIGGER touch ON users",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE FUNCTION touch() "
            "RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER touch BEFORE "
            "UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch()"
        ),
    ),
    good=Example(
        "CREATE OR REPLACE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch()",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE FUNCTION touch() "
            "RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER touch BEFORE "
            "UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch()"
        ),
    ),
    effects=(Effect("11-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-droptrigger.html",
)
