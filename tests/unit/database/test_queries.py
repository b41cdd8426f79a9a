from __future__ import annotations

import re
from importlib.resources import files

import pytest

from expandcontract.database.queries import queries

FILES = sorted(
    file.name.removesuffix(".sql")
    for file in files("expandcontract.database").joinpath("sql").iterdir()
    if file.name.endswith(".sql") and not file.name.startswith("ledger_")
)


@pytest.mark.parametrize("file", FILES)
def test_each_block_is_one_statement_that_starts_with_its_question(file: str) -> None:
    for name, text in queries(file).items():
        head, _, body = text.partition("\n")
        assert head.startswith(f"-- {name}: ")
        assert body.rstrip().endswith(";"), name
        assert re.sub(r"'[^']*'", "", body).count(";") == 1, name


def test_there_are_queries_to_test() -> None:
    assert {"activity", "catalog", "ledger"} <= set(FILES)
