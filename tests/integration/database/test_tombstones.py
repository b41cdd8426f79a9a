"""Privileges that are taken and given back, on every PostgreSQL found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.ledger_installation import install
from expandcontract.database.tombstones import Taken, cover_new_columns, give_back, privileges, reaching, take
from tests.fixtures.servers import Database

ROLES = ("ec_reader", "ec_writer", "ec_dump")
ACL = """
SELECT granted.about, x.grantee::regrole::text, x.privilege_type, x.is_grantable
  FROM (SELECT '' AS about, relacl AS acl FROM pg_class WHERE oid = '"My users"'::regclass
        UNION ALL
        SELECT attname, attacl FROM pg_attribute
         WHERE attrelid = '"My users"'::regclass AND NOT attisdropped) granted
 CROSS JOIN LATERAL aclexplode(granted.acl) x
 ORDER BY 1, 2, 3, 4
"""
GRANTS = (
    'GRANT SELECT ON "My users" TO PUBLIC',
    'GRANT UPDATE, REFERENCES ON "My users" TO ec_writer WITH GRANT OPTION',
    'GRANT SELECT (id, "100 %"), INSERT ("100 %") ON "My users" TO ec_reader',
    'GRANT UPDATE (id) ON "My users" TO ec_writer',
    'GRANT TRIGGER, TRUNCATE ON "My users" TO ec_reader',
    'GRANT SELECT ON "My users" TO ec_dump',
)
COLUMN = Taken("public", "My users", ("100 %",))
TABLE = Taken("public", "My users")


@pytest.fixture
def owner(each_database: Database) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the owner of a table on which many have many privileges."""
    with psycopg.connect(each_database.superuser_dsn, autocommit=True) as admin:
        for role in ROLES:
            admin.execute(f"CREATE ROLE {role} LOGIN".encode())
        try:
            with each_database.connect(autocommit=True) as connection:
                install(connection)
                connection.execute('CREATE TABLE "My users" (id bigint, "100 %" text, display_name text)')
                for grant in GRANTS:
                    connection.execute(grant.encode())
                yield connection
        finally:
            for role in ROLES:
                admin.execute(f"DROP OWNED BY {role}".encode())
                admin.execute(f"DROP ROLE {role}".encode())


def take_it(connection: psycopg.Connection[Any], taken: Taken) -> None:
    executor = PsycopgExecutor(connection)
    known = privileges(executor, taken)
    assert known is not None
    with connection.transaction():
        take(executor, "0002", taken, known, ["ec_dump"])


@pytest.mark.parametrize("taken", [COLUMN, TABLE], ids=["a column", "a table"])
def test_every_privilege_comes_back_as_it_was(owner: psycopg.Connection[Any], taken: Taken) -> None:
    executor = PsycopgExecutor(owner)
    before = owner.execute(ACL).fetchall()
    reached = {role for role, _ in reaching(executor, taken)}
    assert set(ROLES) <= reached

    take_it(owner, taken)
    assert {role for role, _ in reaching(executor, taken)} & set(ROLES) == {"ec_dump"}

    with owner.transaction():
        give_back(executor, taken)
    assert owner.execute(ACL).fetchall() == before
    assert owner.execute("SELECT FROM ec.tombstone_grant").fetchall() == []


def test_the_other_columns_stay_as_they_were(owner: psycopg.Connection[Any]) -> None:
    take_it(owner, COLUMN)

    rights = "SELECT has_column_privilege(%s, '\"My users\"', %s, %s)"
    for role, column, privilege in [
        ("ec_reader", "id", "SELECT"),
        ("ec_reader", "display_name", "SELECT"),
        ("ec_writer", "id", "UPDATE WITH GRANT OPTION"),
        ("ec_dump", "100 %", "SELECT"),
    ]:
        assert owner.execute(rights, [role, column, privilege]).fetchone() == (True,), (role, column, privilege)
    assert owner.execute("SELECT has_table_privilege('ec_reader', '\"My users\"', 'TRUNCATE')").fetchone() == (True,)


def test_a_column_that_comes_later_is_granted_as_the_table_was(owner: psycopg.Connection[Any]) -> None:
    executor = PsycopgExecutor(owner)
    take_it(owner, COLUMN)
    owner.execute('ALTER TABLE "My users" ADD COLUMN "né:é" text')

    assert cover_new_columns(executor, COLUMN) == ("né:é",)
    assert cover_new_columns(executor, COLUMN) == ()
    rights = "SELECT has_column_privilege('ec_writer', '\"My users\"', 'né:é', 'UPDATE WITH GRANT OPTION')"
    assert owner.execute(rights).fetchone() == (True,)


def test_a_role_and_a_table_that_are_gone_by_then_stand_in_nobodys_way(
    owner: psycopg.Connection[Any], each_database: Database
) -> None:
    take_it(owner, COLUMN)
    with psycopg.connect(each_database.superuser_dsn, autocommit=True) as admin:
        admin.execute("DROP OWNED BY ec_writer")
        admin.execute("ALTER ROLE ec_writer RENAME TO ec_renamed")
    try:
        with owner.transaction():
            give_back(PsycopgExecutor(owner), COLUMN)
        assert owner.execute("SELECT FROM ec.tombstone").fetchall() == []
        take_it(owner, TABLE)
        owner.execute('DROP TABLE "My users"')
        with owner.transaction():
            give_back(PsycopgExecutor(owner), TABLE)
        assert owner.execute("SELECT FROM ec.tombstone").fetchall() == []
    finally:
        with psycopg.connect(each_database.superuser_dsn, autocommit=True) as admin:
            admin.execute("ALTER ROLE ec_renamed RENAME TO ec_writer")


def test_whoever_could_become_the_owner_reaches_it_all_the_same(
    owner: psycopg.Connection[Any], each_database: Database
) -> None:
    with psycopg.connect(each_database.superuser_dsn, autocommit=True) as admin:
        admin.execute("ALTER ROLE ec_reader NOINHERIT")
        admin.execute(f'GRANT "{each_database.role}" TO ec_reader'.encode())
    take_it(owner, COLUMN)

    why = dict(reaching(PsycopgExecutor(owner), COLUMN))

    assert why["ec_reader"] == "a member of the owner"
    assert why[each_database.role] == "the owner"
    assert why["ec_dump"] == "by another grant"
    assert "ec_writer" not in why
