"""Logins of a test's own, beside the owner of its database."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql

from tests.fixtures.servers import Database, unavailable, with_parameters

LoginMaker = Callable[..., str]


@pytest.fixture
def make_login(database: Database) -> Iterator[LoginMaker]:
    """
    Make a role that may log in, and give its DSN: ``make_login("p@ss", owner=True)``.

    An `owner` may do what the database's owner may; another one may only look, and that also only where it is granted.
    `settings` are the role's own, such as ``default_transaction_read_only="on"``.
    """
    if not database.server.admin_is_superuser:
        unavailable("EC_TEST_DSN isn't a superuser, and this test makes a role")
    made: list[sql.Identifier] = []

    def make(password: str | None = None, *, owner: bool = False, **settings: str) -> str:
        name, password = f"ec_login_{secrets.token_hex(4)}", password or secrets.token_urlsafe(12)
        role = sql.Identifier(name)
        with psycopg.connect(database.superuser_dsn, autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
            made.append(role)
            if owner:
                admin.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(database.role), role))
                admin.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(sql.Identifier(database.name), role))
            for setting, value in settings.items():
                admin.execute(
                    sql.SQL("ALTER ROLE {} SET {} = {}").format(role, sql.Identifier(setting), sql.Literal(value))
                )
        return with_parameters(database.dsn, user=name, password=password)

    yield make
    with psycopg.connect(database.superuser_dsn, autocommit=True) as admin:
        for role in made:
            admin.execute(sql.SQL("DROP OWNED BY {}").format(role))
            admin.execute(sql.SQL("DROP ROLE {}").format(role))
