"""What a rule is: the offence, the actions it stands in, what PostgreSQL does, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import Action
from expandcontract.lint.value import Value

NEWEST, OLDEST = 18, 10

_NO_LOCKS: Mapping[str, Lock] = {}


class Problem(Value):
    """One offence found: what happens, because of what; ``instead`` replaces the rule's own advice."""

    message: str
    instead: str | None = None


class Example(Value):
    """SQL that shows the rule, on a schema that exists before it."""

    sql: str
    schema: str = ""
    in_transaction: bool = True
    version: int | str = 16


class Effect(Value):
    """What PostgreSQL does with the bad example, in these versions; compared with measurements."""

    versions: str  # "12-18"
    locks: Mapping[str, Lock] = _NO_LOCKS
    work: tuple[str, ...] = ()  # of "rewrite", "scan", "key check", "index build", "data"

    def covers(self, version: int) -> bool:
        """Whether the effect is claimed for this major version."""
        first, _, last = self.versions.partition("-")
        return int(first) <= version <= int(last or first)


class Rule(Value):
    """
    One rule; its name is that of the file it stands in.

    ``check`` gets an action of one of the types in ``on`` and the `Scene` it happens in, and yields problems.
    ``severity`` replaces what the hazard's class would give, ``in_contract`` what it would give in contract.
    """

    hazard: Hazard
    title: str
    on: tuple[type[Action], ...]
    check: Callable[[Any, Any], Iterable[Problem]]
    why: str
    instead: str
    bad: Example
    good: Example
    manual: str
    effects: tuple[Effect, ...] = ()
    severity: Severity | None = None
    in_contract: Severity | None = None
