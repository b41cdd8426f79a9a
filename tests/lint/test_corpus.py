"""The labelled corpus: measured SQL, dangerous and safe."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.lint.lint_corpus import rows, score

CORPUS = list(rows("lint_corpus.jsonl"))


def test_dangerous_rows_are_caught_and_safe_rows_are_left_alone() -> None:
    result = score(CORPUS)

    assert result.caught_share >= 0.98, result.missed
    assert result.false_alarm_share <= 0.01, result.false_alarms


def test_without_the_schema_before_it_the_reading_is_cautious() -> None:
    result = score([{**row, "prior_sql": ""} for row in CORPUS])

    assert result.caught_share >= 0.93, result.missed
    assert result.false_alarm_share <= 0.13, result.false_alarms


def renamed(sql: str) -> str:
    """Give other names to what the corpus calls shipments, parcels and so on, quoted names among them."""
    names = {
        "shipments": '"Shipping Notes"',
        "carriers": "logistics.haulier",
        "invoices": '"order"',
        "parcels": "px",
    }
    for old, new in names.items():
        sql = re.sub(rf"(?<!')\b{old}\b(?!')", new, sql)
    return sql


def reformatted(sql: str) -> str:
    """Put comments and line breaks between words, outside of quotes."""
    parts = re.split(r"('(?:[^']|'')*'|\"[^\"]*\"|\$\$.*?\$\$)", sql, flags=re.DOTALL)
    parts[::2] = [re.sub(r"[ \n]+", " /* ; DROP TABLE x */\n\t", part) for part in parts[::2]]
    return "".join(parts)


def in_capitals(sql: str) -> str:
    """Write everything outside of quotes in capitals."""
    parts = re.split(r"('(?:[^']|'')*'|\"[^\"]*\"|\$\$.*?\$\$)", sql, flags=re.DOTALL)
    parts[::2] = [part.upper() for part in parts[::2]]
    return "".join(parts)


def in_a_block(sql: str) -> str:
    """Wrap the text into a DO block."""
    return f"DO $outer$ BEGIN {sql} END $outer$;"


@pytest.mark.parametrize("change", [renamed, reformatted, in_capitals])
def test_names_and_formatting_make_no_difference(change: Any) -> None:
    result = score({**row, "sql": change(row["sql"]), "prior_sql": change(row.get("prior_sql", ""))} for row in CORPUS)

    assert result.caught_share >= 0.98, result.missed
    assert result.false_alarm_share <= 0.01, result.false_alarms


def test_a_do_block_hides_nothing() -> None:
    opaque_to_plpgsql = re.compile(r"(?i)\b(BEGIN|COMMIT|ROLLBACK|VACUUM|DO)\b|CONCURRENTLY|SELECT count")
    plain = [row for row in CORPUS if row["in_transaction"] and not opaque_to_plpgsql.search(row["sql"])]
    result = score({**row, "sql": in_a_block(row["sql"].rstrip("; ") + ";")} for row in plain)

    assert result.caught_share >= 0.98, result.missed
    assert result.false_alarm_share <= 0.01, result.false_alarms
