"""Our own example, tested by the line that we offer to everybody; its server is that of the other tests."""

from pathlib import Path

import pytest

from expandcontract.pytest_plugin import TestMigrations  # noqa: F401
from tests.fixtures.servers import Server


@pytest.fixture(scope="session")
def ec_server_url(server: Server) -> str:
    return server.admin_dsn


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[3] / "migrations_example")
