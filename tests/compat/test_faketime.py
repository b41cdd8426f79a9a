"""Clocks that are wrong or jump, by libfaketime: only the database's counts, and it may not go back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from expandcontract.proof.installation import Installation
from expandcontract.proof.scratch_server import ScratchServer
from tests.compat.faketime import LIBRARY
from tests.fixtures.project import CREATE_USERS, AlembicProject, ProjectMaker, rename_name, until
from tests.fixtures.servers import database_on


class Clock:
    """The clock of a server, which reads by how much it is to be wrong from a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set("+0")

    @property
    def variables(self) -> dict[str, str]:
        """What the server is started with."""
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, wrong_by: str) -> None:
        """Let it jump: ``+14d`` from the true time."""
        self._file.write_text(wrong_by + "\n")
        self._file.chmod(0o644)


@pytest.fixture
def clock(public_folder: Path) -> Clock:
    """The true time, until it is set otherwise."""
    return Clock(public_folder / "clock")


@pytest.fixture
def waiting(installation: Installation, clock: Clock, make_project: ProjectMaker) -> Iterator[AlembicProject]:
    """A contract whose window of a day has just begun, on a server with that clock."""
    with ScratchServer(installation, environment=clock.variables) as server:
        project = make_project(database_on(server))
        project.revision("0001", CREATE_USERS)
        project.ok("migrate", "expand")
        project.ok("colour", "deploy", "blue", "1")
        project.ok("colour", "traffic", "blue=100")
        project.revision("0002", rename_name("1d"), after="0001")
        project.ok("migrate", "expand")
        project.ok("backfill")
        project.ok("colour", "deploy", "green", "2")
        project.ok("colour", "traffic", "green=100")
        yield project


def jump(project: AlembicProject, clock: Clock, wrong_by: str) -> None:
    """The server's clock jumps while it runs; wait until its sessions see it."""
    before = project.value("SELECT clock_timestamp()")
    clock.set(wrong_by)
    until(lambda: abs((project.value("SELECT clock_timestamp()") - before).total_seconds()) > 3600, what="the jump")


def test_a_contract_is_refused_before_its_window_ends_and_runs_after_it(waiting: AlembicProject, clock: Clock) -> None:
    assert waiting.ec("migrate", "contract").code == 4
    jump(waiting, clock, "+23h")
    assert waiting.ec("migrate", "contract").code == 4
    jump(waiting, clock, "+25h")
    waiting.ok("migrate", "contract")
    assert waiting.columns("users") == ["display_name", "id"]


@pytest.mark.parametrize("wrong_by", ["+30d", "-30d"])
def test_the_clock_of_whoever_runs_ec_has_no_effect(waiting: AlembicProject, clock: Clock, wrong_by: str) -> None:
    wrong = {"LD_PRELOAD": str(LIBRARY), "FAKETIME": wrong_by, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    assert waiting.start("migrate", "contract", variables=wrong).end().code == 4
    jump(waiting, clock, "+25h")
    assert waiting.start("migrate", "contract", variables=wrong).end().code == 0


def test_a_window_does_not_close_by_a_clock_that_went_back(waiting: AlembicProject, clock: Clock) -> None:
    jump(waiting, clock, "-2d")
    refusals = waiting.json("migrate", "contract", code=3)["refusals"]
    assert {refusal["code"] for refusal in refusals} == {"window-open", "clock"}
    jump(waiting, clock, "+23h")
    assert waiting.ec("migrate", "contract").code == 4
    assert waiting.columns("users") == ["display_name", "id", "name"]
