"""The two examples of the page on readiness, run as a server would run them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

import expandcontract
from tests.docs.test_pages import python_blocks
from tests.docs.transcripts import ROOT
from tests.fixtures.project import CREATE_USERS, AlembicProject

Ask = Callable[[sa.Engine, str], tuple[int, str]]


def example(mark: str) -> dict[str, Any]:
    """The names that the example with this word defines."""
    page = ROOT / "docs" / "how-to" / "report-readiness.md"
    (code,) = (code for _, _, code in python_blocks(page) if mark in code)
    names: dict[str, Any] = {}
    exec(code, names)
    return names


def by_wsgi(engine: sa.Engine, path: str) -> tuple[int, str]:
    names = example("start_response")
    names["engine"] = engine
    answered: list[str] = []
    body = names["probes"]({"PATH_INFO": path}, lambda status, headers: answered.append(status))
    return int(answered[0].split()[0]), b"".join(body).decode()


def by_asgi(engine: sa.Engine, path: str) -> tuple[int, str]:
    names = example("async def probes")
    names["engine"] = engine
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(names["probes"]({"type": "http", "path": path}, None, send))
    return sent[0]["status"], sent[1]["body"].decode()


@pytest.fixture
def engine(project: AlembicProject) -> Iterator[sa.Engine]:
    made = sa.create_engine(project.dsn.replace("postgresql://", "postgresql+psycopg://"))
    yield expandcontract.connect(made, colour="green", release="42")
    made.dispose()


@pytest.mark.parametrize("ask", [by_wsgi, by_asgi])
def test_ready_follows_the_schema(ask: Ask, project: AlembicProject, engine: sa.Engine) -> None:
    project.revision("0001", CREATE_USERS)
    project.ok("colour", "deploy", "green", "42")
    status, text = ask(engine, "/ready")
    assert (status, "expand 0001: release 42 needs it" in text) == (503, True)

    project.ok("migrate", "expand")
    assert ask(engine, "/ready")[0] == 200


@pytest.mark.parametrize("ask", [by_wsgi, by_asgi])
def test_a_database_that_is_away_is_unready_and_never_dead(ask: Ask) -> None:
    away = sa.create_engine("postgresql+psycopg://ann:s3cret@127.0.0.1:1/shop")
    expandcontract.connect(away, colour="green", release="42")

    status, text = ask(away, "/ready")
    assert (status, "can't be asked" in text, "s3cret" in text) == (503, True, False)
    assert ask(away, "/live")[0] == 200
