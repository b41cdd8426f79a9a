"""The syntax is newer than the server."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.versions import needs
from expandcontract.lint.statement import Action


def check(action: Action, scene: Scene) -> Iterator[Problem]:
    for what, minimum in needs(action, scene.statement, scene.schema):
        if scene.version < minimum:
            yield Problem(f"{what} needs PostgreSQL {minimum}; the server is assumed to be {scene.version}")
            return


RULE = Rule(
    hazard=Hazard.FAILURE,
    title="The syntax is newer than the server",
    on=(Action,),
    check=check,
    why=("The statement fails on the server version that is assumed (server_version in the configuration)."),
    instead=("The older way to write it; or raise server_version, if no older server is in use."),
    bad=Example(
        "ALTER TABLE users ADD COLUMN full_name text GENERATED ALWAYS AS (name)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "ALTER TABLE users ADD COLUMN full_name text",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    manual="https://www.postgresql.org/docs/release/",
)
