"""Findings as text for people, for CI systems and for programs; each format is a pure function."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from expandcontract.lint.baseline import fingerprint
from expandcontract.lint.catalogue import rule_named
from expandcontract.lint.finding import Finding, Severity
from expandcontract.lint.value import Value

_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_GITLAB = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.NOTE: "info"}


class Report(Value):
    """What a run of ``ec lint`` found, how much it read, and what it assumed."""

    findings: tuple[Finding, ...]
    statements: int
    sources: int
    server_version: str
    time_zone: str | None = None

    @property
    def summary(self) -> str:
        """One line that says how much was read, and under which assumptions."""
        found = Counter(finding.severity for finding in self.findings)
        counts = ", ".join(_counted(found[each], each) for each in Severity if found[each]) or "nothing found"
        zone = self.time_zone or "unknown"
        return (
            f"{counts}; {_counted(self.statements, 'statement')} in {_counted(self.sources, 'source')} read; "
            f"assumed: PostgreSQL {self.server_version}, time zone {zone}"
        )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _path(finding: Finding) -> str:
    return finding.path or "<stdin>"


def text(report: Report) -> str:
    """Give the report for a person: place, rule, what happens, why, and what to write instead."""
    blocks = [
        f"{_path(each)}:{each.line}:{each.column}: {each.severity} {each.rule}: {each.message}\n"
        f"    {_shortened(each.statement)}\n"
        f"    why:     {each.why}\n"
        f"    instead: {each.instead}\n"
        for each in report.findings
    ]
    return "\n".join([*blocks, report.summary + "\n"])


def _shortened(statement: str) -> str:
    line = " ".join(statement.split())
    return line if len(line) <= 100 else line[:99] + "…"


def as_json(report: Report) -> str:
    """Give the report as one JSON object of the schema ec/1."""
    document = {
        "schema": "ec/1",
        "command": "lint",
        "outcome": _outcome(report),
        "server_version": report.server_version,
        "time_zone": report.time_zone,
        "statements": report.statements,
        "sources": report.sources,
        "findings": [
            {
                "rule": each.rule,
                "class": str(rule_named(each.rule).hazard),
                "severity": str(each.severity),
                "path": each.path,
                "line": each.line,
                "column": each.column,
                "statement": each.statement,
                "message": each.message,
                "why": each.why,
                "instead": each.instead,
            }
            for each in report.findings
        ],
    }
    return json.dumps(document, ensure_ascii=False) + "\n"


def _outcome(report: Report) -> str:
    """In the words of every command's document: an error is what isn't satisfied; the rest is listed as well."""
    if any(each.severity is Severity.ERROR for each in report.findings):
        return "findings"
    return "done" if report.sources else "nothing"


def github(report: Report) -> str:
    """Give workflow commands, which GitHub Actions shows as annotations."""
    lines = [
        f"::{_GITHUB[each.severity]} file={_property(_path(each))},line={each.line},col={each.column},"
        f"title={_property(each.rule)}::{_escaped(f'{each.message}. Instead: {each.instead}')}"
        for each in report.findings
    ]
    return "".join(line + "\n" for line in lines)


def _escaped(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _escaped(value).replace(":", "%3A").replace(",", "%2C")


def gitlab(report: Report) -> str:
    """Give a code quality report for GitLab."""
    seen: Counter[str] = Counter()
    entries = []
    for each in report.findings:
        mark = fingerprint(each)
        seen[mark] += 1
        entries.append(
            {
                "description": f"{each.message}. Instead: {each.instead}",
                "check_name": each.rule,
                "fingerprint": mark if seen[mark] == 1 else f"{mark}-{seen[mark]}",
                "severity": _GITLAB[each.severity],
                "location": {"path": _path(each), "lines": {"begin": each.line}},
            }
        )
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"


def sarif(report: Report) -> str:
    """Give a SARIF 2.1.0 log."""
    names = sorted({each.rule for each in report.findings})
    run = {
        "tool": {"driver": {"name": "ec lint", "rules": [_sarif_rule(name) for name in names]}},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(each, names.index(each.rule)) for each in report.findings],
    }
    return json.dumps({"$schema": _SARIF, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _sarif_rule(name: str) -> dict[str, Any]:
    rule = rule_named(name)
    return {
        "id": name,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.instead},
        "helpUri": rule.manual,
    }


def _sarif_result(finding: Finding, index: int) -> dict[str, Any]:
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": str(finding.severity),
        "message": {"text": f"{finding.message}. Instead: {finding.instead}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _path(finding)},
                    "region": {"startLine": finding.line, "startColumn": finding.column},
                }
            }
        ],
        "partialFingerprints": {"ec/1": fingerprint(finding)},
    }


def junit(report: Report) -> str:
    """Give JUnit XML: a test suite per source, a failed test case per finding."""
    from xml.etree import ElementTree  # here, because no other format needs it

    suites = ElementTree.Element("testsuites", name="ec lint")
    for path in dict.fromkeys(_path(each) for each in report.findings):
        found = [each for each in report.findings if _path(each) == path]
        suite = ElementTree.SubElement(suites, "testsuite", name=path, tests=str(len(found)), failures=str(len(found)))
        for each in found:
            case = ElementTree.SubElement(
                suite, "testcase", classname=path, name=f"{each.rule} line {each.line}", line=str(each.line)
            )
            failure = ElementTree.SubElement(case, "failure", type=str(each.severity), message=_printable(each.message))
            failure.text = _printable(f"{each.statement}\nwhy: {each.why}\ninstead: {each.instead}")
    if not report.findings:
        suite = ElementTree.SubElement(suites, "testsuite", name="ec lint", tests="1", failures="0")
        ElementTree.SubElement(suite, "testcase", classname="ec lint", name=report.summary)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _printable(value: str) -> str:
    """Leave out the control characters that XML can't hold."""
    return "".join(each for each in value if each >= " " or each in "\t\n\r")


FORMATS: Mapping[str, Callable[[Report], str]] = {
    "text": text,
    "json": as_json,
    "github": github,
    "gitlab": gitlab,
    "sarif": sarif,
    "junit": junit,
}
