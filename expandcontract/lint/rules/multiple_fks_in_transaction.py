"""One transaction adds foreign keys to several tables."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from expandcontract.lint.finding import Hazard
from expandcontract.lint.identifier import listed
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Action, AddColumn, AddConstraint, Column, CreateTable


def check(action: CreateTable | AddConstraint | AddColumn, scene: Scene) -> Iterator[Problem]:
    own = _parents(action, scene)
    if not own:
        return
    earlier = takewhile(lambda each: each is not action, scene.statement.actions)
    before = {parent for each in (*(done.action for done in scene.done), *earlier) for parent in _parents(each, scene)}
    parents = before | own
    if len(parents) > 1 and parents != before:
        yield Problem(
            f"writes to {listed(sorted(parents))} stop together, and a transaction that takes them in "
            "another order deadlocks",
            "one foreign key per transaction: a part of its own for each",
        )


def _parents(action: Action, scene: Scene) -> set[str]:
    """Give the live tables that new foreign keys of this action point at."""
    match action:
        case CreateTable(constraints=constraints) | AddColumn(column=Column(constraints=constraints)):
            added = constraints
        case AddConstraint(constraint=constraint):
            added = (constraint,)
        case _:
            added = ()
    own = action.table if isinstance(action, CreateTable) else None
    return {each.references for each in added if each.references not in (None, own) and scene.is_live(each.references)}


RULE = Rule(
    hazard=Hazard.TRANSACTION,
    title="One transaction adds foreign keys to several tables",
    on=(
        CreateTable,
        AddConstraint,
        AddColumn,
    ),
    check=check,
    why=(
        "Each foreign key takes SHARE ROW EXCLUSIVE on the table that it points at; all of them are held until the end."
    ),
    instead="A part of its own for each foreign key.",
    bad=Example(
        "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id), shop_id "
        "bigint REFERENCES shops (id))",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE TABLE shops (id "
            "bigint PRIMARY KEY)"
        ),
    ),
    good=Example(
        "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id), shop_id bigint)",
        schema=(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text); CREATE TABLE shops (id "
            "bigint PRIMARY KEY)"
        ),
    ),
    effects=(Effect("10-18", {"shops": Lock.SHARE_ROW_EXCLUSIVE, "users": Lock.SHARE_ROW_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/explicit-locking.html",
)
