"""Privileges are taken away."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.identifier import listed
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AlterRelation, Authorise, TableChange


def check(action: Authorise | AlterRelation, scene: Scene) -> Iterator[Problem]:
    if isinstance(action, AlterRelation):
        if action.change is TableChange.OWNER and scene.is_live(action.table):
            yield Problem(
                f"{action.table} belongs to {action.argument or 'another role'} from now on; what only its "
                "owner may do fails for the old one"
            )
    elif action.verb != "grant":
        live = [name for name in action.objects if scene.is_live_object(action.kind, name)]
        if live or not action.objects:
            yield Problem(f"running code may lose a privilege on {listed(live) or 'what is made from now on'}")


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="Privileges are taken away",
    on=(
        Authorise,
        AlterRelation,
    ),
    check=check,
    why=(
        'Running code keeps its connection and gets "permission denied" from the next statement '
        "on. A GRANT takes nothing from anybody."
    ),
    instead=("Grant in expand, revoke in contract, when every release runs with the new privileges."),
    bad=Example(
        "REVOKE SELECT ON users FROM PUBLIC",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "GRANT SELECT ON users TO PUBLIC",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(
        Effect("10-17"),
        Effect("18", {"users": Lock.ACCESS_SHARE}),
    ),
    manual="https://www.postgresql.org/docs/current/sql-revoke.html",
)
