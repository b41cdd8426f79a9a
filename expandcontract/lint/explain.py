"""A rule in full, for ``ec lint --explain`` and for its reference page."""

from __future__ import annotations

import re

from expandcontract.domain.phase import Phase
from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Effect, Example, Rule
from expandcontract.lint.severity import default_severity

CLASSES = {
    Hazard.LOCKING: "blocks the application",
    Hazard.DESTRUCTIVE: "takes away what running code may still need",
    Hazard.COMPATIBILITY: "breaks code that runs now",
    Hazard.FAILURE: "fails when it is run",
    Hazard.TRANSACTION: "keeps locks for longer than it needs to",
    Hazard.ADVICE: "advice, no danger by itself",
    Hazard.PHASE: "contradicts the phase it stands in",
    Hazard.ANALYSIS: "about the analysis itself",
}


def explain(name: str, rule: Rule) -> str:
    """Give a rule as Markdown: class and severities, why, effect by server version, instead, both examples."""
    return "\n".join(
        [
            f"# {name}",
            "",
            f"{rule.title}.",
            "",
            f"Class {rule.hazard}: {CLASSES[rule.hazard]}. In expand: {_shown(rule, Phase.EXPAND)}; "
            f"in contract: {_shown(rule, Phase.CONTRACT)}.",
            "",
            "## Why",
            "",
            rule.why,
            "",
            *_effects(rule),
            "## Instead",
            "",
            rule.instead,
            "",
            "## Wrong",
            "",
            *_example(rule.bad),
            "## Right",
            "",
            *_example(rule.good),
            f"PostgreSQL's manual: <{rule.manual}>",
            "",
        ]
    )


def _shown(rule: Rule, phase: Phase) -> str:
    severity = default_severity(rule, phase)
    if severity is not Severity.OFF:
        return severity
    return "expected" if phase is Phase.CONTRACT and rule.severity is not Severity.OFF else "off"


def _effects(rule: Rule) -> list[str]:
    if not rule.effects:
        return []
    head = [
        "## Effect of the wrong example",
        "",
        "| PostgreSQL | locks | work under the locks |",
        "|---|---|---|",
    ]
    return [*head, *(_row(effect) for effect in rule.effects), ""]


def _row(effect: Effect) -> str:
    locks = ", ".join(f"{mode} on {relation}" for relation, mode in sorted(effect.locks.items()))
    return f"| {effect.versions.replace('-', ' to ')} | {locks or '–'} | {', '.join(effect.work) or 'brief'} |"


def _example(example: Example) -> list[str]:
    settings = [] if example.in_transaction else ["outside a transaction"]
    settings += [f"on PostgreSQL {example.version}"] if example.version != 16 else []
    lines = ["```sql"]
    if example.schema:
        lines += ["-- deployed before", *_lines(example.schema), ""]
    if settings:
        lines.append(f"-- {', '.join(settings)}")
    return [*lines, *_lines(example.sql), "```", ""]


def _lines(sql: str) -> list[str]:
    return [
        line.rstrip(";") + ";" if not line.startswith("--") else line for line in _BETWEEN.sub(";\n", sql).split("\n")
    ]


_BETWEEN = re.compile(r";\s+(?=(?:CREATE|ALTER|DROP|INSERT|UPDATE|SET|SELECT|BEGIN|COMMIT)\b)(?!BEGIN RETURN)")
