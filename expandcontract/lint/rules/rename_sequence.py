"""A sequence is renamed."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import Rename


def check(action: Rename, scene: Scene) -> Iterator[Problem]:
    is_sequence = action.kind == "sequence" or (action.kind == "table" and action.old in scene.schema.sequences)
    if is_sequence and scene.is_live_object("sequence", action.old):
        yield Problem(f"nextval('{action.old}') fails from that moment on")


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="A sequence is renamed",
    on=(Rename,),
    check=check,
    why=("Code that asks for the sequence by its name fails; only column defaults follow a rename."),
    instead="Create a second sequence; or leave the name as it is.",
    bad=Example("ALTER SEQUENCE numbers RENAME TO invoice_numbers", schema="CREATE SEQUENCE numbers"),
    good=Example("CREATE SEQUENCE invoice_numbers", schema="CREATE SEQUENCE numbers"),
    manual="https://www.postgresql.org/docs/current/sql-altersequence.html",
    in_contract=Severity.ERROR,
)
