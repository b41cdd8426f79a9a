"""Statements beside the labelled corpus: each form that PostgreSQL treats differently, and what is said about it."""

from __future__ import annotations

from typing import Any

import pytest

from expandcontract.lint import lint_sql
from expandcontract.lint.catalogue import all_rules
from tests.lint.lint_corpus import HARD, ONLY_WHERE_NAMED, rows


@pytest.mark.parametrize("row", [*rows("judgements.jsonl")], ids=lambda row: row["sql"][:60])
def test_what_is_named(row: dict[str, Any]) -> None:
    assumed = {key: row[key] for key in ("server_version", "in_transaction", "time_zone") if key in row}
    findings = lint_sql(row["sql"], schema=row.get("prior_sql"), **assumed)
    found = {each.rule for each in findings if all_rules()[each.rule].hazard in HARD} - ONLY_WHERE_NAMED

    if row["expected"]:
        assert set(row["expected"]) <= found
    else:
        assert found == set()
