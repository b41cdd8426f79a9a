"""A name is longer than 63 bytes."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.identifier import MAXIMUM_BYTES
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import LongIdentifier


def check(action: LongIdentifier, scene: Scene) -> Iterator[Problem]:
    length = len(action.name.encode())
    kept = action.name.encode()[:MAXIMUM_BYTES].decode(errors="ignore")
    yield Problem(f"{action.name} has {length} bytes; PostgreSQL keeps the first {MAXIMUM_BYTES}: {kept}")


RULE = Rule(
    hazard=Hazard.FAILURE,
    title="A name is longer than 63 bytes",
    on=(LongIdentifier,),
    check=check,
    why=(
        "PostgreSQL cuts it off silently: code that compares the full name does not find it, and "
        "two long names may become one."
    ),
    instead="A name of at most 63 bytes (bytes, not characters).",
    bad=Example(
        "CREATE TABLE a_name_that_goes_on_and_on_until_nobody_remembers_how_it_started_out (id bigint PRIMARY KEY)"
    ),
    good=Example("CREATE TABLE a_short_name (id bigint PRIMARY KEY)"),
    manual="https://www.postgresql.org/docs/current/sql-syntax-lexical.html",
)
