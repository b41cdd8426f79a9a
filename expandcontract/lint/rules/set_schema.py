"""An object is moved to another schema."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.alias import leaves_a_view
from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import SetSchema


def check(action: SetSchema, scene: Scene) -> Iterator[Problem]:
    if scene.is_live_object(action.kind, action.name) and not leaves_a_view(action.name, scene):
        yield Problem(
            f"code that says {action.name} fails from that moment on",
            f"in the same transaction a view under the old name: CREATE VIEW {action.name} AS SELECT * "  # noqa: S608 - advice, not a query
            "FROM …",
        )


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="An object is moved to another schema",
    on=(SetSchema,),
    check=check,
    why=("Whichever schema the running code names, there is a moment in which the object is not there."),
    instead=(
        "For a table: in the same transaction a view under the old name. For the rest: make it "
        "anew there, drop the old one in contract."
    ),
    bad=Example(
        "ALTER TABLE users SET SCHEMA archive",
        schema="CREATE SCHEMA archive; CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users SET SCHEMA archive; CREATE VIEW users AS SELECT * FROM archive.users",
        schema="CREATE SCHEMA archive; CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
    in_contract=Severity.ERROR,
)
