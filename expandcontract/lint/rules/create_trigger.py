"""A trigger is created on a table in use."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import CreateTrigger


def check(action: CreateTrigger, scene: Scene) -> Iterator[Problem]:
    if scene.is_live(action.table):
        yield Problem(f"from now on {action.name} runs for every statement of running code on {action.table}")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A trigger is created on a table in use",
    on=(CreateTrigger,),
    check=check,
    why=("It takes SHARE ROW EXCLUSIVE briefly, and running code pays for it and sees what it does."),
    instead=(
        "op.create_sync(…) where it keeps two shapes in step; otherwise make sure that old code can live with it."
    ),
    bad=Example(
        "CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch()",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE FUNCTION touch() "
            "RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
        ),
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN tier text",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE FUNCTION touch() "
            "RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
        ),
    ),
    effects=(Effect("11-18", {"users": Lock.SHARE_ROW_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-createtrigger.html",
)
