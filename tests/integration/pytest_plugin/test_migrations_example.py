"""Our own example, tested by the line that we offer to everybody; its server is that of the other tests."""

import pytest

from expandcontract.pytest_plugin import TestMigrations as Migrations
from tests.fixtures.servers import Server


@pytest.fixture(scope="session")
def ec_server_url(server: Server) -> str:
    return server.admin_dsn


class TestMigrationsExample(Migrations):
    config = "migrations_example/alembic.ini"
