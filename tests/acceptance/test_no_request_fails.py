"""
The promise, measured: a rename goes from expand to contract under load, there and back, and nobody notices.

The revisions are those of `migrations_example`: the new column ends NOT NULL, by a CHECK that is NOT VALID at first.
The longest wait is held against `lock_timeout`, which is what we promise, and not against any speed of the machine. The
control is the same load on the same machine right before, without a migration, so that a reader of the output can
tell the machine's noise from ours.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from expandcontract.commands.demo_account import Acknowledged, Model, Report, Snapshot, seed_name, take_snapshot
from expandcontract.config import Settings
from tests.fixtures.load import Load, Period, in_the_way
from tests.fixtures.project import AlembicProject, Ran
from tests.fixtures.servers import Database

EXAMPLE = Path(__file__).parents[2] / "migrations_example"
USERS = 30_000
WINDOW = 3  # seconds
LOCK_TIMEOUT = Settings().lock_timeout.total_seconds()
CONTROL = "control"

Obstacle = Callable[[str], AbstractContextManager[None]]  # gets the phase that it stands in the way of
THERE, BACK, FORWARD = ("cut-over", "green"), ("rollback", "blue"), ("forward", "green")


@dataclass
class Shop:
    """The example's two trees on one database, and the load on it."""

    old: AlembicProject
    new: AlembicProject
    load: Load
    connection: psycopg.Connection[tuple[object, ...]]

    def switch(self, tree: AlembicProject, colour: str) -> None:
        """Ask, turn the router, record."""
        tree.ok("colour", "check", colour)
        self.load.route(**{colour: 100})
        tree.ok("colour", "traffic", f"{colour}=100")


@pytest.fixture
def shop(database: Database, tmp_path: Path):
    """Release 1 live on blue with its users, release 2 only a tree."""
    trees = []
    for release in ("release-1", "release-2"):
        shutil.copytree(EXAMPLE, tmp_path / release, ignore=shutil.ignore_patterns("__pycache__"))
        trees.append(AlembicProject(tmp_path / release, database.dsn, (database.server.password,)))
    old, new = trees
    (old.versions / "0002_rename_name.py").unlink()
    rename = new.versions / "0002_rename_name.py"
    rename.write_text(re.sub(r'contract_after = "\w+"', f'contract_after = "{WINDOW}s"', rename.read_text()))
    old.ok("migrate", "expand")
    prefix, suffix = seed_name(0).split("0")
    with (
        psycopg.connect(database.dsn, autocommit=True) as connection,
        Load(database.dsn, tmp_path / "load", USERS) as load,
    ):
        fill = "INSERT INTO users (name) SELECT %s::text || id || %s::text FROM generate_series(1, %s) AS id"
        connection.execute(fill, [prefix, suffix, USERS])
        connection.execute("ANALYZE users")
        old.ok("colour", "deploy", "blue", "1")
        old.ok("colour", "traffic", "blue=100")
        load.start_writers("blue", "name")
        load.start_writers("green", "display_name")
        load.route(blue=100)
        yield Shop(old, new, load, connection)


def whole_path(
    shop: Shop, *, ways: Sequence[tuple[str, str]] = (THERE, BACK, FORWARD), obstacle: Obstacle = nullcontext
) -> tuple[dict[str, Snapshot], dict[str, Ran]]:
    """All rows at each stage, and what those two commands said that take locks."""
    load, new, snapshots, said = shop.load, shop.new, {}, {}
    with load.period(CONTROL):
        time.sleep(4)
    with load.period("expand"), obstacle("expand"):
        said["expand"] = new.ok("migrate", "expand")
    snapshots["expanded, old reads"] = take_snapshot(shop.connection, ("name",))
    new.ok("colour", "deploy", "green", "2")
    with load.period("backfill"):
        new.ok("backfill", "--rate", "max")
    snapshots["filled, both read"] = take_snapshot(shop.connection, ("name", "display_name"))
    for title, colour in ways:
        with load.period(title):
            shop.switch(shop.old if colour == "blue" else new, colour)
            time.sleep(1)
        snapshots[f"{title}, both read"] = take_snapshot(shop.connection, ("name", "display_name"))
    time.sleep(WINDOW)
    with load.period("contract"), obstacle("contract"):
        said["contract"] = new.ok("migrate", "contract")
    with load.period("contracted"):
        time.sleep(1)
    snapshots["contracted, new reads"] = take_snapshot(shop.connection, ("display_name",))
    load.stop()
    return snapshots, said


def assert_nobody_noticed(shop: Shop, snapshots: dict[str, Snapshot]) -> None:
    """No request failed or waited too long, and every row was right at every stage."""
    load = shop.load

    def is_meant(period: Period) -> bool:
        return period.title != CONTROL

    longest = load.longest_wait(is_meant)
    gap = load.longest_gap(is_meant)
    print(f"\n{load.requests} requests, {len(load.failures)} failed; longest wait {1000 * longest:.0f} ms,")
    print(f"longest time without a write {1000 * gap:.0f} ms")
    print(load.table())
    assert load.failures == []
    acknowledged = [Acknowledged(*write) for tally in load.tallies for write in tally.acknowledged]
    model = Model(USERS, [Report(0, 0, None, 0.0, {}, acknowledged)])
    assert {stage: model.wrong_rows(snapshot) for stage, snapshot in snapshots.items()} == dict.fromkeys(snapshots, 0)
    assert max(longest, gap) <= 1.1 * LOCK_TIMEOUT


def test_nobody_notices_a_rename_under_five_writers(shop: Shop) -> None:
    snapshots, _ = whole_path(shop)
    assert_nobody_noticed(shop, snapshots)


def test_nor_with_six_readers_that_hold_their_transactions(shop: Shop) -> None:
    shop.load.start_readers(number=6, hold=0.7)
    snapshots, _ = whole_path(shop)
    assert_nobody_noticed(shop, snapshots)


def test_nor_with_a_reader_of_ten_seconds_in_the_way(shop: Shop) -> None:
    look = "SELECT FROM users LIMIT 1"
    statements = {"expand": [look], "contract": [look, "SELECT pg_sleep(10)"]}  # idle in transaction, and at work

    def obstacle(phase: str) -> AbstractContextManager[None]:
        return in_the_way(shop.new.dsn, statements[phase], seconds=10)

    snapshots, said = whole_path(shop, ways=[THERE], obstacle=obstacle)
    assert_nobody_noticed(shop, snapshots)
    for ran in said.values():
        assert "the-ten-second-reader" in ran.stderr, ran
