from __future__ import annotations

import pytest

from expandcontract.database.address import address_from_text
from expandcontract.errors import ConfigurationError


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://me:hunter2@db:6000/app",
        "postgres://me:hunter2@db:6000/app",
        "postgresql+psycopg://me:hunter2@db:6000/app",
        "postgresql+psycopg2://me:hunter2@db:6000/app",
        "postgresql+asyncpg://me:hunter2@db:6000/app",
        "host=db port=6000 dbname=app user=me password=hunter2",
        "postgresql://db:6000/app?user=me&password=hunter2",
        "postgresql+asyncpg://db:6000/app?user=me&password=hunter2",
    ],
)
def test_every_spelling_of_an_address_means_the_same_and_shows_no_password(text: str) -> None:
    address = address_from_text(text, origin="EC_DATABASE_URL")

    assert address.parameters == {
        "host": "db",
        "port": "6000",
        "dbname": "app",
        "user": "me",
        "password": "hunter2",
    }
    assert str(address) == "host=db port=6000 dbname=app user=me"
    assert "hunter2" not in repr(address)
    assert "hunter2" in address.conninfo()


def test_asyncpg_s_ssl_is_libpq_s_sslmode() -> None:
    assert address_from_text("postgresql+asyncpg://db/app?ssl=require", origin="x").parameters["sslmode"] == "require"


def test_percent_encoding_is_undone_once() -> None:
    address = address_from_text("postgresql+psycopg://me:p%40ss%2525@db/app", origin="x")

    assert address.parameters["password"] == "p@ss%25"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mysql://me:hunter2@db/app",
        "sqlite:///hunter2.db",
        "not an address hunter2",
        "postgresql+asyncpg://me:hunter2@db/app?server_settings=hunter2",
        "postgresql://me:hunter2@db:port/app?nonsense=1",
        "postgresql://me:hunter2\0@db/app",
    ],
)
def test_what_is_no_postgresql_address_is_refused_without_repeating_it(text: str) -> None:
    if text == "":
        assert str(address_from_text(text, origin="x")) == "the default server"
        return
    with pytest.raises(ConfigurationError) as refused:
        address_from_text(text, origin="EC_DATABASE_URL")

    assert "EC_DATABASE_URL" in str(refused.value)
    assert "hunter2" not in f"{refused.value} {refused.value.because} {refused.value.__cause__}"
