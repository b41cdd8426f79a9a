"""An index has many columns."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import CreateIndex

_MOST = 3


def check(action: CreateIndex, scene: Scene) -> Iterator[Problem]:
    if len(action.columns) > _MOST and not action.unique:
        yield Problem(f"{len(action.columns)} columns: the last ones rarely help to find a row and cost every write")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="An index has many columns",
    on=(CreateIndex,),
    check=check,
    why=("Each column makes the index bigger and every write dearer; columns after the third rarely narrow a search."),
    instead="Fewer columns; INCLUDE for those that are only read.",
    bad=Example(
        "CREATE INDEX CONCURRENTLY users_all ON users (a, b, c, d)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, a text, b text, c text, d text)",
        in_transaction=False,
    ),
    good=Example(
        "CREATE INDEX CONCURRENTLY users_a ON users (a, b)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, a text, b text, c text, d text)",
        in_transaction=False,
    ),
    effects=(Effect("10-18", {"users": Lock.SHARE_UPDATE_EXCLUSIVE}, ("index build",)),),
    manual="https://www.postgresql.org/docs/current/indexes-multicolumn.html",
)
