"""The public entry point: SQL in, findings out."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from expandcontract.domain.phase import Phase
from expandcontract.lint.accepts import MARKER, QUESTION, Accept, Notice, read_accept, read_question, settle
from expandcontract.lint.catalogue import rule_named
from expandcontract.lint.finding import Finding, Severity
from expandcontract.lint.judge import Assumptions, Verdict, judge
from expandcontract.lint.parse import tokens
from expandcontract.lint.position import Positions
from expandcontract.lint.reading.text import read
from expandcontract.lint.scene import Guarantees, Surroundings
from expandcontract.lint.schema import Schema
from expandcontract.lint.severity import Severities
from expandcontract.lint.statement import Statement
from expandcontract.lint.value import Value


class Linted(Value):
    """The findings of one text, and how many statements were read."""

    findings: tuple[Finding, ...]
    statements: int


def lint_sql(
    sql: str,
    *,
    server_version: int | str = 16,
    in_transaction: bool = True,
    schema: str | Schema | None = None,
    phase: Phase | None = None,
    time_zone: str | None = None,
    guarantees: Guarantees | None = None,
    surroundings: Surroundings | None = None,
    severities: Severities | None = None,
    path: str | None = None,
    today: date | None = None,
) -> list[Finding]:
    """
    Give what is wrong with the SQL, in the order of the text; an empty list means nothing.

    Args:
        sql: the text to judge.
        server_version: the oldest server it will run on, such as 15 or "14.2".
        in_transaction: whether whoever runs it wraps it in a transaction.
        schema: SQL of what is already deployed, or the schema read from it. It isn't changed.
        phase: the phase that the text belongs to; without one it is judged as expand.
        time_zone: the TimeZone of the session that will run it; None means unknown.
        guarantees: what the runner sees to by itself, such as a lock_timeout.
        surroundings: what else the change does: the columns that its contract removes, and so on.
        severities: the user's choice of severities.
        path: where the text comes from, for severities by path; copied into the findings.
        today: the date that decides whether an accept has expired; the machine's own by default.

    """
    major, _, minor = str(server_version).partition(".")
    assumed = Assumptions(
        version=int(major),
        minor=int(minor) if minor else None,
        time_zone=time_zone,
        in_transaction=in_transaction,
        phase=phase,
        guarantees=guarantees or Guarantees(),
        surroundings=surroundings or Surroundings(),
    )
    before = Schema.from_sql(schema) if isinstance(schema, str) else copy.deepcopy(schema) or Schema()
    linted = lint(sql, before, assumed, severities or Severities(), path=path, today=today or date.today())
    return list(linted.findings)


def lint(
    sql: str,
    schema: Schema,
    assumed: Assumptions,
    severities: Severities,
    *,
    today: date,
    path: str | None = None,
    more_follows: bool = False,
) -> Linted:
    """
    Judge one text on a schema, which is changed to what the text leaves behind.

    ``more_follows`` tells that a later text belongs to the same step, so that what this one made stays new.
    """
    statements = read(sql)
    positions = Positions(sql)
    found = []
    chosen: dict[str, Severity] = {}
    for verdict in judge(statements, schema, assumed):
        severity = chosen.get(verdict.name)
        if severity is None:
            severity = chosen[verdict.name] = severities.of(verdict.name, verdict.rule, assumed.phase, path)
        if severity is not Severity.OFF:
            found.append((verdict.name, verdict.statement.start, _finding(verdict, severity, sql, positions, path)))
    accepts = _accepts(sql, statements) if MARKER in sql else []
    kept, notices = settle(found, accepts, today)
    if QUESTION in sql:
        notices += _questions(sql)
    kept += _about_comments(notices, severities, assumed.phase, sql, positions, path)
    if not more_follows:
        schema.fresh.clear()
    return Linted(tuple(sorted(kept, key=lambda finding: finding.start)), len(statements))


def _finding(verdict: Verdict, severity: Severity, sql: str, positions: Positions, path: str | None) -> Finding:
    line, column = positions.place(verdict.action.at)
    start, end = (positions.character(each) for each in (verdict.statement.start, verdict.statement.end))
    return Finding(
        rule=verdict.name,
        severity=severity,
        line=line,
        column=column,
        statement=sql[start:end].strip(),
        message=verdict.problem.message,
        why=verdict.rule.why,
        instead=verdict.problem.instead or verdict.rule.instead,
        start=positions.character(verdict.action.at),
        end=end,
        path=path,
    )


def _accepts(sql: str, statements: Sequence[Statement]) -> list[tuple[Accept, int]]:
    """Give the accepts in the comments, each with the start of the statement that it stands before or in."""
    found = []
    for comment, at in _comments(sql):
        accept = read_accept(comment, at)
        if accept:
            following = [each.start for each in statements if each.end > at]
            found.append((accept, min(following, default=-1)))
    return found


def _questions(sql: str) -> Iterator[Notice]:
    """Give what is left to a person."""
    return (question for comment, at in _comments(sql) if (question := read_question(comment, at)))


def _comments(sql: str) -> Iterator[tuple[str, int]]:
    """Give each comment, and where it starts in the bytes of the text."""
    encoded = sql.encode("utf-8", "replace")
    return ((encoded[each.start : each.end].decode(), each.start) for each in tokens(encoded) if each.is_comment)


def _about_comments(
    notices: Iterable[Notice],
    severities: Severities,
    phase: Phase | None,
    sql: str,
    positions: Positions,
    path: str | None,
) -> list[Finding]:
    findings = []
    for notice in notices:
        rule = rule_named(notice.rule)
        severity = severities.of(notice.rule, rule, phase, path)
        start = positions.character(notice.at)
        line, column = positions.place(notice.at)
        end = sql.find("\n", start)
        end = len(sql) if end < 0 else end
        if severity is not Severity.OFF:
            findings.append(
                Finding(
                    rule=notice.rule,
                    severity=severity,
                    line=line,
                    column=column,
                    statement=sql[start:end].strip(),
                    message=notice.message,
                    why=rule.why,
                    instead=rule.instead,
                    start=start,
                    end=end,
                    path=path,
                )
            )
    return findings
