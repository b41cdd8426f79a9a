"""A column is dropped."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AlterComposite, DropColumn


def check(action: DropColumn | AlterComposite, scene: Scene) -> Iterator[Problem]:
    if isinstance(action, AlterComposite):
        if action.change == "DROP" and scene.is_live_object("type", action.type):
            yield Problem(f"code that reads {action.attribute} of {action.type} fails from that moment on")
    elif scene.is_live_column(action.table, action.column):
        yield Problem(
            f"code that reads or writes {action.table}.{action.column} fails from that moment on",
            f"drop {action.column} in contract(), when no live or returning release uses it",
        )


RULE = Rule(
    hazard=Hazard.DESTRUCTIVE,
    title="A column is dropped",
    on=(
        DropColumn,
        AlterComposite,
    ),
    check=check,
    why=("Code that runs now, or that traffic may go back to, still names the column; its data is gone as well."),
    instead="Drop it in contract(), when no release that has or could get traffic uses it.",
    bad=Example(
        "ALTER TABLE users DROP COLUMN name",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN display_name text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
