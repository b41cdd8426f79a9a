"""A domain has a constraint."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import AlterDomain, CreateDomain


def check(action: CreateDomain | AlterDomain, scene: Scene) -> Iterator[Problem]:
    adds = (
        action.change in ("add constraint", "set not null") if isinstance(action, AlterDomain) else action.constrained
    )
    if adds:
        yield Problem(f"every column that is added or changed to {action.name} will rewrite its table")


RULE = Rule(
    hazard=Hazard.ADVICE,
    title="A domain has a constraint",
    on=(
        CreateDomain,
        AlterDomain,
    ),
    check=check,
    why=(
        "Adding a column of such a domain rewrites the table, and changing the constraint reads "
        "every table that uses it."
    ),
    instead="A CHECK on the column.",
    bad=Example("CREATE DOMAIN percentage AS integer CHECK (VALUE <= 100)"),
    good=Example("CREATE DOMAIN percentage AS integer"),
    manual="https://www.postgresql.org/docs/current/sql-createdomain.html",
)
