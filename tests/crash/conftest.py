"""
A life, recorded once for all the tests that disturb it.

`EC_TEST_LIVES=all` takes every life at its full length (``tox run -e faults``). What is drawn at random depends on
`EC_TEST_SEED`, which is printed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.crash.lives import LIVES, SHORT
from tests.crash.play import Play, played
from tests.crash.schedules import SEED

CHOSEN = LIVES if os.environ.get("EC_TEST_LIVES") == "all" else SHORT


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what plays a life: its server is killed and replaced."""
    for item in items:
        if "recorded" in getattr(item, "fixturenames", ()):
            item.add_marker("needs_cluster")


@pytest.fixture(scope="session", params=CHOSEN)
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """Each life in its turn."""
    with played(CHOSEN[request.param], tmp_path_factory.mktemp("life"), SEED) as play:
        yield play


@pytest.fixture
def play(recorded: Play) -> Play:
    """The life; what fails in it shows how to repeat it."""
    print(f"EC_TEST_SEED={SEED}")
    return recorded
