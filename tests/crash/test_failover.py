"""The primary is killed at a random moment of a command and its standby promoted: the same command ends the same."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tests.crash.lives import SHORT
from tests.crash.play import Play, played
from tests.crash.schedules import SEED
from tests.fixtures.project import until
from tests.fixtures.servers import Database, database_on, with_parameters
from tests.fixtures.standby import Pair
from tests.fixtures.wire import Fault, Round, Side

# A backfill waits for the standby that it knew; it has a test of its own, in tests/faults.
STAGES = ("expanded", "green is live", "contracted", "undone")


@pytest.mark.long
@pytest.mark.needs_cluster
@pytest.mark.parametrize("name", STAGES)
def test_a_command_whose_server_is_replaced_by_its_standby_is_finished_by_the_same_command(
    pair: Pair, tmp_path: Path, name: str
) -> None:
    luck = random.Random(f"{SEED} {name}")
    life = SHORT["rename-column"].until(name)
    database = database_on(pair.primary)
    with played(life, tmp_path, database, SEED) as play:
        stage, at = play.stages[name], luck.randint(1, play.recorded[name].rounds)
        side: Side = luck.choice(("before", "during", "after"))
        print(f"EC_TEST_SEED={SEED}: {side} round {at} of {play.recorded[name].rounds}")
        play.states.go_back_to(stage.after)
        with psycopg.connect(database.server.admin_dsn, autocommit=True) as admin:
            admin.execute("CHECKPOINT")  # else the copy's sequences say nothing of their next 32 values to a standby
        until(lambda: pair.behind() == 0, what="the standby has everything")

        promoted = threading.Event()
        _, ran = play.run_with(stage, lambda _pid: _failover(pair, play, database, (at, side), promoted))

        until(promoted.is_set, what="the standby is promoted")  # the command may have given up before
        assert ran.code in (stage.code, 3, 6, 7), ran
        # `ec colour traffic` would say so in one event more than those of an undisturbed run
        with psycopg.connect(play.dsn, autocommit=True) as connection:
            connection.execute("UPDATE ec.database SET timeline = timeline + 1")
        play.finish(stage)


def _failover(pair: Pair, play: Play, database: Database, at: tuple[int, Side], promoted: threading.Event) -> Fault:
    def fault(now: Round, side: Side) -> bool:
        if (now.number, side) != at:
            return False
        pair.primary.kill()
        with pair.standby.ask() as standby:
            standby.execute("SELECT pg_promote()")
        address = with_parameters(database.server.admin_dsn, port=str(pair.standby.port))
        play.move_to(Database(database.name, replace(database.server, admin_dsn=address)))
        promoted.set()
        return True

    return fault
