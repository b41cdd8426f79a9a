from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import postgast
import pytest
from google.protobuf.json_format import MessageToDict

from expandcontract.database.queries import queries, script

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


def _names(node: object, kind: str) -> Iterator[Mapping[str, Any]]:
    """The nodes of a kind in a parse tree, as Google's JSON of it has them."""
    if isinstance(node, dict):
        for name, below in node.items():
            if name == kind:
                yield below
            yield from _names(below, kind)
    elif isinstance(node, list):
        for below in node:
            yield from _names(below, kind)


@pytest.mark.parametrize("file", FILES)
def test_every_name_in_a_query_says_its_schema(file: str) -> None:
    """Many run on connections with the user's search path, where somebody may have put a name in front."""
    text = re.sub(r"%\(\w+\)s", "$1", script(file)).replace("%%", "%")
    text = re.sub(r"\{(\w+)\}", r"extensions.\1", text)  # what is filled in before it runs
    tree = MessageToDict(postgast.parse(text), preserving_proto_field_name=True)

    functions = {
        call["funcname"][-1]["string"]["sval"] for call in _names(tree, "func_call") if len(call["funcname"]) == 1
    }
    functions -= {"unnest"}  # of several arrays it is syntax, which PostgreSQL itself qualifies
    with_queries = {each["ctename"] for each in _names(tree, "common_table_expr")}
    with_queries |= {each["aliasname"] for each in _names(tree, "alias")}  # which FOR UPDATE OF names
    tables = {one["relname"] for one in _names(tree, "range_var") if "schemaname" not in one} - with_queries

    assert functions == set()
    assert tables == set()
