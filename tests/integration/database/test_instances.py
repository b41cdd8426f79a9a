"""What a server says of itself to a role that is no superuser."""

from __future__ import annotations

import psycopg

from expandcontract.database.address import address_from_text
from expandcontract.database.instances import ask, look_at
from tests.fixtures.servers import Database


def test_a_primary_tells_its_system_and_its_timeline_to_anybody(each_database: Database) -> None:
    with each_database.connect(autocommit=True) as connection:
        here = look_at(connection)

        name = f"{connection.info.host}:{connection.info.port}"

    assert (here.name, here.timeline, here.is_standby) == (name, 1, False)
    assert here.system is not None
    again = ask("db1", address_from_text(each_database.dsn, origin="test"), "ec:test")
    assert again is not None
    assert (again.name, again.is_related_to(here)) == ("db1", False)


def test_a_role_that_may_not_ask_knows_neither_and_no_transaction_is_harmed(database: Database) -> None:
    with psycopg.connect(database.superuser_dsn) as admin:
        admin.execute("REVOKE EXECUTE ON FUNCTION pg_catalog.pg_walfile_name(pg_lsn) FROM PUBLIC")

    with database.connect(autocommit=True) as connection:
        here = look_at(connection)

    assert (here.system, here.timeline) == (None, None)


def test_a_server_that_does_not_answer_says_nothing() -> None:
    nowhere = address_from_text("postgresql://nobody@127.0.0.1:1/nowhere", origin="test")
    assert ask("gone", nowhere, "ec:test") is None
