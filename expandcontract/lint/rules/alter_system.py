"""A setting of the whole server is changed."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import ClusterWide


def check(action: ClusterWide, scene: Scene) -> Iterator[Problem]:
    if action.verb == "ALTER SYSTEM":
        yield Problem("it changes the whole server, every database on it included")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A setting of the whole server is changed",
    on=(ClusterWide,),
    check=check,
    why=("A migration knows one database; this concerns all of them, and survives a restore."),
    instead="Configuration management; or ALTER DATABASE … SET.",
    bad=Example("ALTER SYSTEM SET work_mem = '8MB'", in_transaction=False),
    good=Example("SET LOCAL work_mem = '8MB'", in_transaction=False),
    manual="https://www.postgresql.org/docs/current/sql-altersystem.html",
)
