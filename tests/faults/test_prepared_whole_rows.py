"""Clients that keep a ``SELECT *`` prepared, over a table that gets a column."""

from __future__ import annotations

import psycopg
import pytest

from tests.fixtures.project import ADD_NOTES
from tests.fixtures.shop import Shop

pytestmark = pytest.mark.needs_cluster

WHOLE_ROW = "SELECT * FROM users WHERE id = %s"
NAMED = "SELECT id, name FROM users WHERE id = %s"


def test_a_prepared_whole_row_fails_once_its_table_has_a_column_more_and_ec_says_so_before(shop: Shop) -> None:
    with shop.app() as client:
        for query in (WHOLE_ROW, NAMED):
            client.execute(query, [1], prepare=True)
        shop.project.revision("0003", ADD_NOTES, after="0002", title="notes")

        (warning,) = shop.project.json("plan")["warnings"]
        assert (
            "expand 0003 adds a column to users, and role shop_app runs: SELECT * FROM users WHERE id = $1" in warning
        )
        assert f"warning: {warning}" in shop.project.ok("plan").stdout
        assert warning in shop.project.ok("migrate", "expand", "--dry-run").stderr
        assert warning in shop.project.ok("migrate", "expand").stderr

        assert client.execute(NAMED, [1], prepare=True).fetchone() == (1, "ada")
        for _ in range(2):  # again and again, on this connection
            with pytest.raises(
                psycopg.errors.FeatureNotSupported, match="cached plan must not change result type"
            ) as no:
                client.execute(WHOLE_ROW, [1], prepare=True)
            assert no.value.sqlstate == "0A000"
        client.execute("DEALLOCATE ALL")  # what a new connection would have come to, too
        row = client.execute(WHOLE_ROW, [1], prepare=True).fetchone()
        assert row == (1, "ada", "ada", None)
    assert shop.project.json("plan")["warnings"] == []


@pytest.mark.long
def test_without_such_a_statement_and_where_nobody_counts_nothing_is_said(shop: Shop) -> None:
    shop.project.revision("0003", ADD_NOTES, after="0002", title="notes")
    with shop.app() as client:
        client.execute(NAMED, [1])
    shop.project.execute("SELECT * FROM users")  # a maintenance role's
    assert shop.project.json("plan")["warnings"] == []

    with shop.app() as client:
        client.execute(WHOLE_ROW, [1])
    assert len(shop.project.json("plan")["warnings"]) == 1
    shop.superuser("DROP EXTENSION pg_stat_statements")
    assert shop.project.json("plan")["warnings"] == []
