"""
A life, recorded once for all the tests that disturb it.

`EC_TEST_LIVES=all` takes every life at its full length (``tox run -e faults``). What is drawn at random depends on
`EC_TEST_SEED`, which a failure shows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.crash.lives import LIVES, SHORT
from tests.crash.play import Play, played
from tests.crash.schedules import SEED
from tests.fixtures.servers import Server, fresh_database

CHOSEN = LIVES if os.environ.get("EC_TEST_LIVES") == "all" else SHORT


@pytest.fixture(scope="session", params=CHOSEN)
def recorded(
    request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Play]:
    """Each life in its turn."""
    folder = tmp_path_factory.mktemp("life")
    with fresh_database(server) as database, played(CHOSEN[request.param], folder, database, SEED) as play:
        yield play


@pytest.fixture
def play(recorded: Play) -> Play:
    """The life; what fails in it shows how to repeat it."""
    print(f"EC_TEST_SEED={SEED}")
    return recorded
