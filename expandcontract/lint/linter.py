"""The public entry point: SQL in, findings out."""

from __future__ import annotations

import copy

from expandcontract.domain.phase import Phase
from expandcontract.lint.finding import Finding, Severity
from expandcontract.lint.judge import Assumptions, judge
from expandcontract.lint.position import Positions
from expandcontract.lint.reading.text import read
from expandcontract.lint.scene import Guarantees, Surroundings
from expandcontract.lint.schema import Schema
from expandcontract.lint.severity import Severities


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
    statements = read(sql)
    chosen = severities or Severities()
    positions = Positions(sql)
    found = []
    for verdict in judge(statements, before, assumed):
        severity = chosen.of(verdict.name, verdict.rule, phase, path)
        if severity is Severity.OFF:
            continue
        line, column = positions.place(verdict.action.at)
        start, end = (positions.character(each) for each in (verdict.statement.start, verdict.statement.end))
        found.append(
            Finding(
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
        )
    return found
