"""Row level security is changed."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AlterRelation, SetPolicy, TableChange


def check(action: AlterRelation | SetPolicy, scene: Scene) -> Iterator[Problem]:
    if isinstance(action, AlterRelation) and action.change is not TableChange.ROW_SECURITY:
        return
    if scene.is_live(action.table):
        yield Problem(f"running code sees other rows of {action.table} from that moment on")


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="Row level security is changed",
    on=(
        AlterRelation,
        SetPolicy,
    ),
    check=check,
    why=("With row security on and no policy that fits, running code sees no row; another policy shows others."),
    instead=(
        "In expand a permissive policy for the roles of running code, before row security is "
        "switched on; tighten in contract."
    ),
    bad=Example(
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "CREATE TABLE people (id bigint PRIMARY KEY); ALTER TABLE people ENABLE ROW LEVEL SECURITY",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/ddl-rowsecurity.html",
)
