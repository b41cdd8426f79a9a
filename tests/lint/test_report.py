"""The report formats, read back as their consumers would."""

from __future__ import annotations

import json
from xml.etree import ElementTree

from expandcontract.lint import Finding, Severity
from expandcontract.lint.report import FORMATS, Report


def finding(**changes: object) -> Finding:
    facts: dict[str, object] = {
        "rule": "drop-table",
        "severity": Severity.ERROR,
        "line": 3,
        "column": 5,
        "statement": "DROP TABLE a",
        "message": "gone: 100%",
        "why": "It is <used>.",
        "instead": "Wait.",
        "path": "versions/a,b.py",
    }
    return Finding(**{**facts, **changes})  # type: ignore[arg-type]


def rendered(name: str, *findings: Finding) -> str:
    return FORMATS[name](Report(findings, 7, 2, "15", "UTC"))


def test_text_has_place_rule_and_advice() -> None:
    first, statement, why, instead, _, summary = rendered("text", finding()).splitlines()

    assert first == "versions/a,b.py:3:5: error drop-table: gone: 100%"
    assert (statement.strip(), why.split()[0], instead.split()[0]) == ("DROP TABLE a", "why:", "instead:")
    assert summary == "1 error; 7 statements in 2 sources read; assumed: PostgreSQL 15, time zone UTC"


def test_github_escapes_what_its_syntax_uses() -> None:
    assert rendered("github", finding(message="a\nb")) == (
        "::error file=versions/a%2Cb.py,line=3,col=5,title=drop-table::a%0Ab. Instead: Wait.\n"
    )


def test_gitlab_tells_equal_findings_apart() -> None:
    entries = json.loads(rendered("gitlab", finding(), finding(line=9)))

    assert len({entry["fingerprint"] for entry in entries}) == 2
    assert entries[0]["location"] == {"path": "versions/a,b.py", "lines": {"begin": 3}}


def test_sarif_names_its_rules_and_places() -> None:
    log = json.loads(rendered("sarif", finding(), finding(rule="truncate", severity=Severity.WARNING)))

    (run,) = log["runs"]
    assert (log["version"], [rule["id"] for rule in run["tool"]["driver"]["rules"]]) == (
        "2.1.0",
        ["drop-table", "truncate"],
    )
    assert [(each["ruleIndex"], each["level"]) for each in run["results"]] == [(0, "error"), (1, "warning")]
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 3,
        "startColumn": 5,
    }


def test_junit_is_xml_whatever_the_statement_holds() -> None:
    root = ElementTree.fromstring(rendered("junit", finding(statement="SELECT '\x01<&'")))

    (suite,) = root
    assert (suite.get("name"), suite.get("failures")) == ("versions/a,b.py", "1")
    assert ElementTree.fromstring(rendered("junit")).find("testsuite/testcase") is not None


def test_json_keeps_its_shape() -> None:
    document = json.loads(rendered("json", finding()))

    assert document["outcome"] == "findings"
    assert set(document["findings"][0]) == {
        "rule",
        "class",
        "severity",
        "path",
        "line",
        "column",
        "statement",
        "message",
        "why",
        "instead",
    }
    assert json.loads(rendered("json"))["outcome"] == "done"
