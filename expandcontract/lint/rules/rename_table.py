"""A table is renamed."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.alias import leaves_a_view
from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Rename


def check(action: Rename, scene: Scene) -> Iterator[Problem]:
    if action.kind not in ("table", "foreign_table") or not scene.is_live(action.old):
        return
    schema = scene.schema
    if action.old in schema.indexes or action.old in schema.sequences or action.old in schema.views:
        return
    if leaves_a_view(action.old, scene):
        return
    yield Problem(
        f"code that says {action.old} fails from that moment on, and code that says {action.new} fails until then",
        f"in the same transaction: CREATE VIEW {action.old} AS SELECT * FROM {action.new}",  # noqa: S608 - advice, not a query
    )


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="A table is renamed",
    on=(Rename,),
    check=check,
    why=("Whichever name the running code uses, there is a moment in which no table has it."),
    instead=("Rename it and, in the same transaction, create a view under the old name; drop the view in contract."),
    bad=Example(
        "ALTER TABLE users RENAME TO people",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users RENAME TO people; CREATE VIEW users AS SELECT * FROM people",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
    in_contract=Severity.ERROR,
)
