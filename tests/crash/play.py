"""A life played once undisturbed and then again and again with faults: in the end nothing may differ."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from tests.crash.lives import NOTHING, Life, Stage
from tests.crash.states import OTHERS, States, differences, outcome, shape, writes
from tests.fixtures.project import AlembicProject, Ran
from tests.fixtures.servers import Database
from tests.fixtures.wire import Fault, Round, Side, Wire, no_fault, wire_to

_KILLED = -signal.SIGKILL
_ATTEMPTS = 20
T = TypeVar("T")

MakeFault = Callable[["Future[int]"], Fault]  # from the process id of whoever will meet it


@dataclass(frozen=True)
class Recorded:
    """
    What a command is like undisturbed.

    Args:
        boundaries: the rounds with which something that was written was committed, in their order.
        rounds: how many rounds there were in all.
        shapes: what the database was like before it and after each boundary.
        outcome: what it left.
    """

    boundaries: tuple[Round, ...]
    rounds: int
    shapes: frozenset[frozenset[str]]
    outcome: dict[str, Any]


class Play:
    """A life on a database of its own. Each command goes to it by way of a wire."""

    def __init__(
        self, life: Life, trees: dict[str, AlembicProject], wire: Wire, states: States, luck: random.Random
    ) -> None:
        self.life, self.luck = life, luck
        self.stages = {stage.name: stage for stage in life.stages}
        self.recorded: dict[str, Recorded] = {}
        self._trees = {release: replace(one, dsn=wire.dsn) for release, one in trees.items()}
        self._wire, self.states = wire, states

    @property
    def dsn(self) -> str:
        """The database, not by way of the wire."""
        return self._wire.target

    def end_a_session(self) -> None:
        """Let the server end one of the sessions that are open, as an administrator would."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            pids = connection.execute(OTHERS).fetchall()
            if pids:
                connection.execute("SELECT pg_terminate_backend(%s)", self.luck.choice(pids))

    def record(self) -> None:
        """Play it undisturbed, and keep the state after each command."""
        self.states.keep(NOTHING)
        for stage in self.life.stages:
            self.states.go_back_to(stage.after)
            self.recorded[stage.name] = self._record(stage)
            self.states.keep(stage.name)

    def _record(self, stage: Stage) -> Recorded:
        """Two runs: whoever is looked at closely is slow, and a slow backfill commits more often."""
        shapes, _ = self._noting(stage, lambda _round: shape(self.dsn))
        self.states.go_back_to(stage.after)
        noted, ran = self._noting(stage, lambda now: now)
        assert ran.code == stage.code, f"{stage.name}: {ran}"
        self.states.settle()
        return Recorded(tuple(filter(None, noted)), self._wire.rounds, frozenset(shapes), outcome(self.dsn))

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

    def disturb(self, stage: Stage, faults: Sequence[MakeFault]) -> int:
        """
        In the state in which the stage begins, run its command with each of these faults ahead, then until it is done.

        Returns:
            How many of the faults were met: a run may end before its fault comes.

        Raises:
            AssertionError: something is half done after a fault, or differs in the end.
        """
        self.states.go_back_to(stage.after)
        met = 0
        for make in faults:
            is_met, ran = self.run_with(stage, make)
            met += is_met
            assert ran.code in (stage.code, _KILLED, 6, 7), f"{stage.name}: {ran}"
            self.states.settle()
            assert self._is_whole(stage), f"{stage.name} is half done: {self._strange(stage)}"
        self.finish(stage)
        return met

    def finish(self, stage: Stage) -> None:
        """Run the command until it ends as it does undisturbed; it must have left the same."""
        for _ in range(_ATTEMPTS):
            ran = self._run(stage, lambda _pid: no_fault)
            if ran.code != 6:
                break
        assert ran.code == stage.code, f"{stage.name}, again: {ran}"
        self.states.settle()
        differ = differences(outcome(self.dsn), self.recorded[stage.name].outcome)
        assert not differ, f"{stage.name}: {differ}"

    def move_to(self, database: Database) -> None:
        """From now on another server is at the end of the wire."""
        self.states.database = database
        self._wire.target = database.dsn

    def run_with(self, stage: Stage, make: MakeFault) -> tuple[bool, Ran]:
        """Run the command with this fault ahead; whether it was met, and how the command ended."""
        met = False

        def observed(pid: Future[int]) -> Fault:
            fault = make(pid)

            def meeting(now: Round, side: Side) -> bool:
                nonlocal met
                happens = fault(now, side)
                met = met or happens
                return happens

            return meeting

        ran = self._run(stage, observed)
        return met, ran

    def _run(self, stage: Stage, make: MakeFault) -> Ran:
        pid: Future[int] = Future()
        self._wire.meet(make(pid))
        project = self._trees[stage.tree]
        return project.ec(*stage.arguments, variables=stage.variables, on_start=pid.set_result)

    def _is_whole(self, stage: Stage) -> bool:
        return shape(self.dsn) in self.recorded[stage.name].shapes

    def _strange(self, stage: Stage) -> list[str]:
        found = shape(self.dsn)
        nearest = min(self.recorded[stage.name].shapes, key=lambda one: len(one ^ found))
        return sorted(nearest ^ found)


def kill_at(boundary: int, side: Side) -> MakeFault:
    """``kill -9`` before the server gets the statement of that boundary, or when it has answered."""
    return killing(lambda now, where: now.boundary == boundary and where == side)


def killing(is_it: Callable[[Round, Side], bool]) -> MakeFault:
    """``kill -9`` at the first place of which this is true."""

    def make(pid: Future[int]) -> Fault:
        def fault(now: Round, side: Side) -> bool:
            if not is_it(now, side):
                return False
            os.kill(pid.result(), signal.SIGKILL)
            return True

        return fault

    return make


@contextmanager
def played(life: Life, folder: Path, database: Database, seed: int) -> Iterator[Play]:
    """The life, recorded; `seed` decides what its disturbances draw."""
    trees = life.prepare(folder, database)
    states = States(database)
    with wire_to(database.dsn) as wire:
        play = Play(life, trees, wire, states, random.Random(seed))
        try:
            play.record()
            yield play
        finally:
            states.drop()
