"""Generated and mutated SQL: no crash, nothing outside the text, and formatting makes no difference."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from expandcontract.domain.phase import Phase
from expandcontract.lint import Finding, lint_sql
from expandcontract.lint.report import FORMATS, Report
from tests.lint.lint_corpus import rows

TEXTS = [row["sql"] for row in rows("lint_corpus.jsonl")] + [fact["sql"] + ";" for fact in rows("lock_facts.jsonl")]
QUOTED = re.compile(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(\w*)\$.*?\$\2\$)", re.DOTALL)
ODD = [
    "é",
    "日本",
    "𝄞",
    "\0",
    "\x01",
    "'",
    '"',
    "$$",
    "/*",
    "*/",
    "--",
    ";",
    "(",
    ")",
    "\\",
    "\n",
    "%(x)s",
    ":v",
    "\ud800",
]
FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

statements = st.sampled_from(TEXTS)
whitespace = st.sampled_from(
    [" ", "\n", "\t\n ", " /* é ; DROP TABLE x */ ", " -- it's ; a comment\n", " /* a /* nested */ one */ "]
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = " ".join(draw(st.lists(statements, min_size=1, max_size=3)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        cut = draw(st.integers(0, 6))
        text = text[:at] + draw(st.sampled_from(["", *ODD])) + text[at + cut :]
    return text


def said(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(finding.rule, finding.message, finding.instead) for finding in findings]


def assert_inside(text: str, findings: list[Finding]) -> None:
    lines = text.split("\n")
    for finding in findings:
        assert 0 <= finding.start <= finding.end <= len(text)
        assert 1 <= finding.line <= len(lines)
        assert 1 <= finding.column <= len(lines[finding.line - 1]) + 1
        assert text.find(finding.statement.strip()) >= 0


@FEW
@given(
    st.one_of(mutated(), st.text(max_size=80)),
    st.integers(10, 18),
    st.booleans(),
    st.sampled_from([None, *Phase]),
)
@example("SELECT 'never closed; DROP TABLE a;", 16, True, None)
@example("DROP TABLE a\0; DROP TABLE b;", 16, True, None)
@example("é;DROP TABLE ü -- \ud800\n;ALTER TABLE 日本 DROP COLUMN 本", 16, True, None)
@example("SELECT " + "(" * 3000 + "1" + ")" * 3000, 16, True, None)
def test_nothing_crashes_and_findings_stay_inside(
    text: str, version: int, in_transaction: bool, phase: Phase | None
) -> None:
    findings = lint_sql(text, server_version=version, in_transaction=in_transaction, phase=phase)

    assert_inside(text, findings)
    for render in FORMATS.values():
        assert isinstance(render(Report(tuple(findings), 1, 1, "16")), str)


@FEW
@given(st.lists(statements, min_size=1, max_size=3), st.data(), st.booleans())
def test_formatting_and_comments_make_no_difference(
    texts: list[str], data: st.DataObject, in_transaction: bool
) -> None:
    plain = ";\n".join(text.rstrip("; \n") for text in texts)
    parts = QUOTED.split(plain)
    spaced = ""
    for index, part in enumerate(parts):
        if index % 3 == 0:
            words = re.split(r"\s+", part)
            spaced += words[0] + "".join(data.draw(whitespace) + word for word in words[1:])
        elif index % 3 == 1:
            spaced += part

    assert said(lint_sql(spaced, in_transaction=in_transaction)) == said(lint_sql(plain, in_transaction=in_transaction))


@pytest.mark.parametrize("text", TEXTS[:60])
def test_a_broken_neighbour_hides_nothing(text: str) -> None:
    alone = said(lint_sql(text))
    beside = lint_sql(f"THIS IS NO SQL AT ALL; {text}")

    assert [finding.rule for finding in beside if finding.start < 10] == ["syntax-error"]
    assert {rule for rule, _, _ in alone} <= {finding.rule for finding in beside}


@pytest.mark.parametrize("nonsense", ["SELEC 1", "foo", "é 1", "%", ")", "1 2 3", '"quoted"'])
@pytest.mark.parametrize("text", ["{}", "{};", "DROP TABLE a; {}; DROP TABLE b", "{}; -- c\n/* d */ DROP TABLE a"])
def test_what_has_no_keyword_is_a_syntax_error_as_well(nonsense: str, text: str) -> None:
    findings = lint_sql(text.format(nonsense))

    assert [each.statement for each in findings if each.rule == "syntax-error"] == [nonsense]
    assert sum(each.rule == "drop-table" for each in findings) == text.count("DROP")


def test_offsets_count_characters_not_bytes() -> None:
    text = "SELECT 'äöü', '日本語', '𝄞';\n  ALTER TABLE größe ADD COLUMN a int, DROP COLUMN straße"
    (finding,) = [each for each in lint_sql(text) if each.rule == "drop-column"]

    assert (finding.line, text[finding.start :].split()[0]) == (2, "ALTER")
    assert finding.column == 3
    assert finding.statement == "ALTER TABLE größe ADD COLUMN a int, DROP COLUMN straße"


def test_a_syntax_error_has_its_place() -> None:
    text = "DROP TABLE a;\nSELECT 'ü' FORM b;\nDROP TABLE c"
    findings = lint_sql(text)

    assert [each.rule for each in findings if each.rule in ("drop-table", "syntax-error")] == [
        "drop-table",
        "syntax-error",
        "drop-table",
    ]
    (broken,) = [each for each in findings if each.rule == "syntax-error"]
    assert (broken.line, text[broken.start :].split(";")[0]) == (2, "b")


def test_psql_lines_and_copied_rows_are_named_and_skipped() -> None:
    text = "\\connect shop\nCOPY a FROM stdin;\n1\tx;\\N\n\\.\nDROP TABLE a;\n"
    found = {(each.line, each.rule) for each in lint_sql(text)}

    assert {(1, "not-analysed"), (3, "not-analysed"), (5, "drop-table")} <= found
    assert "syntax-error" not in {rule for _, rule in found}


def test_the_json_report_has_the_agreed_shape() -> None:
    document = json.loads(FORMATS["json"](Report(tuple(lint_sql("DROP TABLE a")), 1, 1, "16")))

    assert (document["schema"], document["command"], document["outcome"]) == ("ec/1", "lint", "findings")
