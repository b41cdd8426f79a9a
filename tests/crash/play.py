"""A life played once undisturbed and then again and again with faults: in the end nothing may differ."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from expandcontract.errors import ExitCode
from tests.crash.lives import NOTHING, Life, Stage
from tests.crash.schedules import Schedule
from tests.crash.site import MakeFault, Site, made_site
from tests.crash.states import States, differences, outcome, shape, writes
from tests.fixtures.closed_gates import closed_gates
from tests.fixtures.project import AlembicProject, Ran
from tests.fixtures.wire import Round, Side, no_fault

# killed; refused for now, or since a failover; failed, told to stop
_DISTURBED = (-signal.SIGKILL, ExitCode.TRY_LATER, ExitCode.REFUSED, ExitCode.STEP_FAILED, ExitCode.INTERRUPTED)
_ATTEMPTS = 20
T = TypeVar("T")


@dataclass(frozen=True)
class Recorded:
    """
    What a command is like undisturbed.

    Args:
        boundaries: with which of its boundaries something that was written was committed.
        rounds: how many rounds there were in all.
        shapes: what the database was like before it and after each boundary.
        outcome: what it left.
    """

    boundaries: tuple[int, ...]
    rounds: int
    shapes: frozenset[frozenset[str]]
    outcome: dict[str, Any]


class Play:
    """A life on a database of its own. Each command goes to it by way of a wire."""

    def __init__(self, life: Life, trees: dict[str, AlembicProject], site: Site, luck: random.Random) -> None:
        self.life, self.luck = life, luck
        self.stages = {stage.name: stage for stage in life.stages}
        self.recorded: dict[str, Recorded] = {}
        self._trees = {release: replace(one, dsn=site.wire.dsn) for release, one in trees.items()}
        self._site, self._states = site, States(site)

    @property
    def dsn(self) -> str:
        """The database, not by way of the wire."""
        return self._site.database.dsn

    @property
    def repeatable(self) -> list[Stage]:
        """The stages whose command leaves the same when it is run again."""
        return [stage for stage in self.life.stages if stage.repeats]

    def record(self) -> None:
        """Play it undisturbed, and keep the state after each command."""
        self._states.keep(NOTHING)
        for stage in self.life.stages:
            self._begin(stage)
            self.recorded[stage.name] = self._record(stage)
            self._states.keep(stage.name)

    def _begin(self, stage: Stage) -> None:
        self._states.go_back_to(stage.after)
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for statement in stage.before:
                connection.execute(statement.encode())

    def _record(self, stage: Stage) -> Recorded:
        """Two runs: whoever is looked at closely is slow, and a slow backfill commits more often."""
        shapes, _ = self._noting(stage, lambda _round: shape(self.dsn))
        self._begin(stage)
        noted, ran = self._noting(stage, lambda now: now and now.boundary)
        assert ran.code == stage.code, f"{stage.name}: {ran}"
        self._states.settle()
        return Recorded(tuple(filter(None, noted)), self._site.wire.rounds, frozenset(shapes), outcome(self.dsn))

    def _noting(self, stage: Stage, what: Callable[[Round | None], T]) -> tuple[list[T], Ran]:
        """Run the command undisturbed; what there was to note whenever something that was written was committed."""
        noted = [what(None)]
        with writes(self.dsn) as has_written:

            def look(now: Round, side: Side) -> bool:
                if now.boundary is not None and side == "after" and has_written():
                    noted.append(what(now))
                return False

            ran = self._run(stage, lambda _pid: look)
        return noted, ran

    def kill_at(self, stage: Stage, boundary: int, side: Side) -> int:
        """``kill -9`` before the server gets the statement of that boundary, or when it has answered; as `disturb`."""
        return self.disturb(stage, [self._site.killing(lambda now, where: (now.boundary, where) == (boundary, side))])

    def live_through(self, schedule: Schedule) -> int:
        """As `disturb` does."""
        return self.disturb(self.stages[schedule.stage], [self._site.meeting(strike) for strike in schedule.strikes])

    def disturb(self, stage: Stage, faults: Sequence[MakeFault]) -> int:
        """
        In the state in which the stage begins, run its command with each of these faults ahead, then until it is done.

        Returns:
            How many of the faults struck: a run may end before its fault comes.

        Raises:
            AssertionError: something is half done after a fault, or differs in the end.
        """
        self._begin(stage)
        before = self._site.struck.total()
        for make in faults:
            ran = self._run(stage, make)
            assert ran.code in (stage.code, *_DISTURBED), f"{stage.name}: {ran}"
            self._states.settle()
            assert self._is_whole(stage), f"{stage.name} is half done: {self._strange(stage)}"
            self._check_gates(stage)
        self._finish(stage)
        return self._site.struck.total() - before

    def _finish(self, stage: Stage) -> None:
        """Run the command until it ends as it does undisturbed; it must have left the same."""
        for _ in range(_ATTEMPTS):
            ran = self._run(stage, lambda _pid: no_fault)
            if ran.code != ExitCode.TRY_LATER:
                break
        assert ran.code == stage.code, f"{stage.name}, again: {ran}"
        self._states.settle()
        differ = differences(outcome(self.dsn), self.recorded[stage.name].outcome)
        assert not differ, f"{stage.name}: {differ}"
        self._check_gates(stage)

    def _check_gates(self, stage: Stage) -> None:
        found = closed_gates(self.dsn, stage.window)
        assert not found, f"{stage.name}: {found}"

    def _run(self, stage: Stage, make: MakeFault) -> Ran:
        project = self._trees[stage.tree]
        variables = {"EC_CONTRACT_AFTER": f"{stage.window.days}d", "EC_MAINTENANCE_ROLES": "app, postgres"}
        return self._site.run_with(
            make, lambda started: project.ec(*stage.arguments, variables=variables, on_start=started)
        )

    def _is_whole(self, stage: Stage) -> bool:
        return shape(self.dsn) in self.recorded[stage.name].shapes

    def _strange(self, stage: Stage) -> list[str]:
        found = shape(self.dsn)
        nearest = min(self.recorded[stage.name].shapes, key=lambda one: len(one ^ found))
        return sorted(nearest ^ found)


@contextmanager
def played(life: Life, folder: Path, seed: int) -> Iterator[Play]:
    """The life, recorded; `seed` decides what its disturbances draw."""
    with made_site() as site:
        trees = life.prepare(folder, site.database)
        play = Play(life, trees, site, random.Random(seed))
        play.record()
        yield play
