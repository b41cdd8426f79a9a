"""Reads the labelled corpus, and scores findings against it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from expandcontract.lint import Hazard, lint_sql
from expandcontract.lint.catalogue import all_rules

DATA = Path(__file__).parent.parent / "data"
# True of nearly every text, so they count only where a row names them.
ONLY_WHERE_NAMED = frozenset(
    ("no-lock-timeout", "no-statement-timeout", "not-idempotent", "missing-schema-qualification")
)
HARD = frozenset((Hazard.LOCKING, Hazard.DESTRUCTIVE, Hazard.COMPATIBILITY, Hazard.FAILURE, Hazard.TRANSACTION))


def rows(name: str) -> Iterator[dict[str, Any]]:
    """Give the objects of a file in tests/data, one a line."""
    for line in (DATA / name).read_text().splitlines():
        yield json.loads(line)


def named_by_ec_lint(row: dict[str, Any]) -> set[str]:
    """Give the rules that speak about a row."""
    findings = lint_sql(
        row["sql"],
        server_version=row["pg_version"],
        in_transaction=row["in_transaction"],
        schema=row.get("prior_sql"),
    )
    return {finding.rule for finding in findings}


@dataclass
class Score:
    """How many dangerous rows were caught, and how many safe ones called dangerous."""

    unsafe: int = 0
    safe: int = 0
    missed: list[str] = field(default_factory=list)
    false_alarms: list[str] = field(default_factory=list)

    @property
    def caught_share(self) -> float:
        """The share of dangerous rows of which at least one hard hazard was named."""
        return 1 - len(self.missed) / self.unsafe

    @property
    def false_alarm_share(self) -> float:
        """The share of safe rows with a finding that is neither labelled, nor tolerated, nor advice."""
        return len(self.false_alarms) / self.safe


def score(corpus: Iterable[dict[str, Any]], named: Callable[[dict[str, Any]], set[str]] = named_by_ec_lint) -> Score:
    """Score a linter: ``named`` gives the hazards, in our names, that it sees in a row."""
    result = Score()
    hard = {name for name, rule in all_rules().items() if rule.hazard in HARD}
    for row in corpus:
        labelled = set(row["hazards"])
        found = {name for name in named(row) if name not in ONLY_WHERE_NAMED or name in labelled}
        if row["safe"]:
            result.safe += 1
            wrong = (found & hard) - labelled - set(row.get("tolerate", ()))
            if wrong:
                result.false_alarms.append(f"{row['id']} {sorted(wrong)}: {row['sql']}")
        else:
            result.unsafe += 1
            if not found & labelled & hard:
                result.missed.append(f"{row['id']} {sorted(labelled)}: {row['sql']}")
    return result
