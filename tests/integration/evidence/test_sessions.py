"""Sessions that say which release they are, seen from another one, on real servers and through every driver."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

import expandcontract
from tests.fixtures.project import AlembicProject, until
from tests.fixtures.servers import Database


def names(dsn: str) -> set[str]:
    """The application names of everybody else."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        return {name for (name,) in connection.execute(f"SELECT application_name FROM pg_stat_activity WHERE {others}")}


def url(database: Database, driver: str) -> str:
    return database.url.replace("postgresql+psycopg://", "postgresql://").replace(
        "postgresql://", f"postgresql+{driver}://"
    )


def test_every_session_of_an_engine_says_its_release_whatever_the_pool_rolls_back(each_database: Database) -> None:
    engine = sa.create_engine(url(each_database, "psycopg"), connect_args={"application_name": "shop"})
    expandcontract.connect(engine, colour="green", release="42")
    try:
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
            connection.rollback()
            assert names(each_database.dsn) == {"shop colour=green release=42"}
        with engine.connect():
            assert names(each_database.dsn) == {"shop colour=green release=42"}
    finally:
        engine.dispose()


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_an_asynchronous_engine_as_well(database: Database, driver: str) -> None:
    async def look() -> set[str]:
        engine = create_async_engine(url(database, driver))
        assert expandcontract.connect(engine, colour="it's 100 %s", release="ünder/way") is engine
        try:
            async with engine.connect() as connection:
                await connection.execute(sa.text("SELECT 1"))
                return await asyncio.to_thread(names, database.dsn)
        finally:
            await engine.dispose()

    (name,) = asyncio.run(look())
    assert name.startswith("colour=it's_100_%s release=~")


def test_a_mark_without_a_name_is_refused(database: Database) -> None:
    engine = sa.create_engine(url(database, "psycopg"))
    with pytest.raises(ValueError, match="one of them is empty"):
        expandcontract.connect(engine, colour="", release="42")


def test_the_application_pays_for_no_alembic() -> None:
    code = "import sys, expandcontract; expandcontract.connect; print('alembic' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.fixture
def ready(switched: AlembicProject, age: Callable[[AlembicProject], None]) -> AlembicProject:
    """Everything but the sessions allows the contract: green ships the change, blue lost its traffic long ago."""
    age(switched)
    return switched


@pytest.fixture
def age() -> Callable[[AlembicProject], None]:
    """Let fifteen days go by, in the ledger."""

    def go_by(project: AlembicProject) -> None:
        project.execute(
            "ALTER TABLE ec.event DISABLE TRIGGER USER",
            "UPDATE ec.event SET at = at - interval '15 days'",
            "UPDATE ec.release SET last_traffic = last_traffic - interval '15 days' WHERE tag = '1'",
        )

    return go_by


def test_a_forgotten_worker_blocks_the_contract_until_it_is_gone(ready: AlembicProject) -> None:
    with ready.connect(application_name="worker colour=blue release=1") as worker:
        pid = worker.info.backend_pid
        document = ready.json("migrate", "contract", code=3)
        (refusal,) = document["refusals"]
        assert refusal["code"] == "session"
        for words in (f"pid {pid} ", "connected for ", "'colour=blue release=1': release 1, which lacks 0002"):
            assert words in refusal["because"]
        assert "name" in ready.columns("users")

    with ready.connect(application_name="colour=green release=2"):
        ready.ok("migrate", "contract")
    assert "name" not in ready.columns("users")


def test_one_that_connects_while_the_contract_waits_for_its_locks_rolls_it_back(ready: AlembicProject) -> None:
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with ready.transaction("LOCK TABLE users IN ACCESS SHARE MODE") as reader:
        running = ready.start("migrate", "contract", "--lock-timeout", "60s", "--json")
        until(lambda: ready.value(waits), what="the contract waits")
        with ready.connect(application_name="colour=blue release=1"):
            reader.rollback()
            ended = running.end()

    assert ended.code == 3
    assert ended.refusal_codes == {"session"}
    assert "name" in ready.columns("users")
