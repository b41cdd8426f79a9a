"""``expandcontract.ready`` and the way back, over the whole life of a change."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

import expandcontract
from tests.fixtures.project import AlembicProject


def url(project: AlembicProject) -> str:
    return project.dsn.replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def engine(renaming: AlembicProject) -> Iterator[sa.Engine]:
    made = sa.create_engine(url(renaming))
    yield made
    made.dispose()


def test_an_application_is_ready_while_the_schema_is_what_its_release_needs(
    renaming: AlembicProject, engine: sa.Engine
) -> None:
    def is_ready(release: str) -> bool:
        return bool(expandcontract.ready(engine, release))

    assert expandcontract.ready(engine, "1").because == ("this database has no ledger of expandcontract",)
    second = renaming.versions / "0002.py"
    text = second.read_text().replace('contract_after = "14d"', 'contract_after = "0s"')
    second.unlink()
    renaming.ok("migrate", "expand")
    assert "doesn't know release 1" in expandcontract.ready(engine, "1").because[0]
    renaming.ok("colour", "deploy", "blue", "1")
    renaming.ok("colour", "traffic", "blue=100")
    assert is_ready("1")

    second.write_text(text)
    renaming.ok("colour", "deploy", "green", "2")
    assert expandcontract.ready(engine, "2").because == ("expand 0002: release 2 needs it, and it is pending",)
    renaming.ok("migrate", "expand")
    assert is_ready("2"), "it may start before the backfill"
    assert is_ready("1")

    renaming.ok("backfill")
    renaming.ok("colour", "traffic", "green=100")
    way_back = renaming.json("colour", "check", "blue", "--rollback")
    assert way_back["ends"] == ["contract 0002"]
    assert (
        "the way back is open; it ends with contract 0002"
        in renaming.ok("colour", "check", "blue", "--rollback").stdout
    )

    renaming.ok("migrate", "contract")
    assert is_ready("2")
    assert "release 1 lacks 0002, whose contract is done since 20" in expandcontract.ready(engine, "1").because[0]
    refused = renaming.json("colour", "check", "blue", "--rollback", code=3)
    assert [refusal["code"] for refusal in refused["refusals"]] == ["contracted"]


def test_there_is_no_way_back_to_what_never_had_traffic(renaming: AlembicProject) -> None:
    renaming.ok("migrate", "expand")
    renaming.ok("colour", "deploy", "green", "2")

    assert (
        "never had any traffic" in renaming.json("colour", "check", "green", "--rollback", code=2)["error"]["message"]
    )


def test_the_engine_knows_its_release_by_its_mark(renaming: AlembicProject, engine: sa.Engine) -> None:
    with pytest.raises(ValueError, match="which release is this"):
        expandcontract.ready(engine)

    renaming.ok("migrate", "expand")
    renaming.ok("colour", "deploy", "green", "2")
    assert expandcontract.ready(expandcontract.connect(engine, colour="green", release="2"))

    async def ask() -> object:
        asynchronous = expandcontract.connect(create_async_engine(url(renaming)), colour="green", release="2")
        try:
            async with asynchronous.connect() as connection:
                return await connection.run_sync(expandcontract.ready)
        finally:
            await asynchronous.dispose()

    assert asyncio.run(ask())


def test_a_database_that_is_not_there_is_unready_and_raises_nothing() -> None:
    engine = sa.create_engine("postgresql+psycopg://ann:s3cret@127.0.0.1:1/shop")

    found = expandcontract.ready(engine, "1")

    assert not found
    assert "the database can't be asked" in found.because[0]
    assert "s3cret" not in found.because[0]


def test_a_connection_that_dies_in_the_pool_is_unready_once_and_then_ready_again(
    renaming: AlembicProject, engine: sa.Engine
) -> None:
    renaming.ok("migrate", "expand")
    renaming.ok("colour", "deploy", "green", "2")
    assert expandcontract.ready(engine, "2")

    others = "datname = current_database() AND pid <> pg_backend_pid()"
    renaming.execute(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE {others}")

    assert not expandcontract.ready(engine, "2")
    assert expandcontract.ready(engine, "2")


def test_the_application_pays_for_no_alembic() -> None:
    code = "import sys, expandcontract; expandcontract.ready; print('alembic' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
