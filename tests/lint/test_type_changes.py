"""Which type changes rewrite a table: every pair of types that PostgreSQL 15, 16 and 18 convert, measured there."""

from __future__ import annotations

import pytest

from expandcontract.lint import Schema
from expandcontract.lint.reading.text import read
from expandcontract.lint.server.type_change import convert
from expandcontract.lint.sqltype import SqlType
from expandcontract.lint.statement import CreateTable
from tests.lint.lint_corpus import rows

DOMAINS = Schema.from_sql(
    "CREATE DOMAIN plain_dom AS integer; CREATE DOMAIN posint AS integer CHECK (value > 0);"
    "CREATE DOMAIN text_dom AS text"
)


def type_of(text: str) -> SqlType:
    ((action,),) = [statement.actions for statement in read(f"CREATE TABLE x (c {text})")]
    assert isinstance(action, CreateTable)
    return action.columns[0].type


@pytest.mark.parametrize("version", [15, 16, 18])
@pytest.mark.parametrize(
    ("time_zone", "measured"), [("UTC", "rewrites_in_utc"), ("Europe/Paris", "rewrites_elsewhere")]
)
def test_rewrites_are_those_measured(version: int, time_zone: str, measured: str) -> None:
    wrong = [
        f"{row['from']} to {row['to']}"
        for row in rows("type_changes.jsonl")
        if convert(
            type_of(row["from"]),
            type_of(row["to"]),
            None,
            schema=DOMAINS,
            version=version,
            time_zone=time_zone,
        ).rewrites
        is not row[measured]
    ]

    assert wrong == []
