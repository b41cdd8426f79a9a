"""A baseline: findings of an old tree that are known, so that only new ones are reported."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

from expandcontract.lint.finding import Finding

Baseline = Counter[str]


def fingerprint(finding: Finding) -> str:
    """Give what identifies a finding wherever it moves in its file: path, rule, statement without layout."""
    import hashlib  # here, because most runs need none

    words = " ".join(finding.statement.split())
    parts = "\0".join((finding.path or "", finding.rule, words, finding.message))
    return hashlib.sha256(parts.encode("utf-8", "replace")).hexdigest()[:32]


def knowing(findings: Iterable[Finding]) -> Baseline:
    """Give the baseline that knows these findings."""
    return Counter(fingerprint(finding) for finding in findings)


def write(findings: Iterable[Finding]) -> str:
    """Give the text of a baseline file that knows these findings."""
    return json.dumps({"schema": "ec/1", "known": dict(sorted(knowing(findings).items()))}, indent=2) + "\n"


def read(text: str) -> Baseline:
    """
    Give the baseline that a file holds.

    Raises:
        ValueError: the text isn't one that `write` gave.

    """
    document = json.loads(text)
    known = document.get("known") if isinstance(document, dict) else None
    if not isinstance(known, dict) or not all(isinstance(count, int) for count in known.values()):
        raise ValueError("this is no baseline of ec lint")
    return Counter(known)


def new(findings: Iterable[Finding], baseline: Baseline) -> list[Finding]:
    """Give the findings that the baseline doesn't know; one entry silences one finding."""
    left = baseline.copy()
    found = []
    for finding in findings:
        mark = fingerprint(finding)
        if left[mark] > 0:
            left[mark] -= 1
        else:
            found.append(finding)
    return found
