"""Accepts in SQL comments, and the baseline."""

from __future__ import annotations

from datetime import date

import pytest

from expandcontract.lint import Finding, baseline, lint_sql

TODAY = date(2026, 6, 1)


def found(sql: str) -> list[tuple[int, str]]:
    """Give line and rule of what is said about dropped tables and about accepts."""
    findings = lint_sql(sql, today=TODAY, path="a.sql")
    return [(each.line, each.rule) for each in findings if each.rule.startswith(("drop-", "accept-"))]


@pytest.mark.parametrize(
    "comment",
    [
        "-- ec:accept drop-table: unused since the move",
        "/* ec:accept drop-table: unused\n since the move */",
        "-- ec:accept drop-table until 2026-06-01: today is still in time",
        "-- ec:accept drop-cascade, drop-table: both",
    ],
)
def test_an_accept_silences_the_next_statement_only(comment: str) -> None:
    cascade = " CASCADE" if "cascade" in comment else ""

    assert [rule for _, rule in found(f"{comment}\nDROP TABLE a{cascade}; DROP TABLE b;")] == ["drop-table"]


def test_an_accept_without_a_reason_silences_nothing() -> None:
    assert found("-- ec:accept drop-table\nDROP TABLE a") == [(1, "accept-without-reason"), (2, "drop-table")]


def test_an_unknown_rule_is_reported() -> None:
    assert found("-- ec:accept drop-tabel: a typo\nDROP TABLE a") == [
        (1, "accept-unknown"),
        (2, "drop-table"),
    ]


def test_an_unused_accept_is_reported() -> None:
    assert found("-- ec:accept drop-table: not here\nSELECT 1; DROP TABLE a") == [
        (1, "accept-unused"),
        (2, "drop-table"),
    ]


def test_an_expired_accept_is_reported_and_silences_nothing() -> None:
    sql = "-- ec:accept drop-table until 2026-05-31: soon\nDROP TABLE a"

    assert found(sql) == [(1, "accept-expired"), (2, "drop-table")]


@pytest.mark.parametrize("comment", ["-- ec:accept", "-- ec:accept !!", "-- ec:accept drop-table until 2026-13-40: x"])
def test_an_accept_that_cant_be_read_is_reported(comment: str) -> None:
    assert found(f"{comment}\nDROP TABLE a") == [(1, "accept-unknown"), (2, "drop-table")]


def test_an_accept_in_a_string_is_no_accept() -> None:
    assert found("SELECT '-- ec:accept drop-table: no'; DROP TABLE a") == [(1, "drop-table")]


def test_an_accept_after_the_last_statement_is_unused() -> None:
    assert found("SELECT 1;\n-- ec:accept drop-table: late") == [(2, "accept-unused")]


def findings(sql: str) -> list[Finding]:
    return [each for each in lint_sql(sql, path="a.sql") if each.rule == "drop-table"]


def test_a_baseline_knows_findings_wherever_they_move() -> None:
    known = baseline.read(baseline.write(findings("DROP TABLE a;")))

    assert baseline.new(findings("\n\nSELECT 1;\nDROP  TABLE a;"), known) == []


def test_a_baseline_silences_as_many_as_it_knows() -> None:
    known = baseline.read(baseline.write(findings("DROP TABLE a;")))

    assert len(baseline.new(findings("DROP TABLE a; DROP TABLE a; DROP TABLE b"), known)) == 2


@pytest.mark.parametrize("text", ["[]", "{}", '{"known": {"a": "b"}}', "no json"])
def test_what_is_no_baseline_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"baseline|Expecting"):
        baseline.read(text)
