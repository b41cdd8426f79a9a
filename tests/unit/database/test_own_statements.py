"""Our own statements say that they are ours."""

from __future__ import annotations

import pytest
from psycopg import sql

from expandcontract.database.own_statements import marked


@pytest.mark.parametrize("query", ["SELECT 1", "SELECT 1;\n", b"SELECT 1", b"SELECT 1;"])
def test_the_mark_stands_at_the_end_before_which_no_statement_ends(query: str | bytes) -> None:
    found = marked(query)

    assert (found if isinstance(found, str) else found.decode()) == "SELECT 1 /* ec */"


def test_a_composed_statement_is_marked_as_well() -> None:
    query = sql.SQL("SELECT {}").format(sql.Identifier("name"))

    assert marked(query).as_string(None) == 'SELECT "name" /* ec */'
