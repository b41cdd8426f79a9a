"""
The whole pipeline with real HTTP processes on each colour, and customers who never notice.

The same with nginx in the place of our proxy is in ``tests/compat/test_pipeline_nginx.py``.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from expandcontract.proof.scratch_server import ScratchServer
from tests.fixtures.pipeline import (
    Pipeline,
    Proxy,
    first_release,
    made_pipeline,
    refused_codes,
    second_release,
    waits_for,
    whole_pipeline,
)
from tests.fixtures.servers import Database, fresh_database, with_role

SHORT = pytest.param((2000, 0.4), id="short")
LONG = pytest.param((50_000, 8.0), id="long", marks=pytest.mark.long)


@pytest.fixture(params=[SHORT, LONG])
def pipeline(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> Iterator[Pipeline]:
    users, hold = request.param
    with made_pipeline(database, tmp_path, Proxy, users=users, hold=hold) as made:
        yield made


@pytest.fixture
def counting_pipeline(counting_server: ScratchServer, tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline whose server counts statements, and whose contract asks for them over its whole, short window."""
    with with_role(counting_server.dsn(), "pipeline") as server, fresh_database(server) as database:
        with psycopg.connect(database.superuser_dsn, autocommit=True) as admin:
            admin.execute("CREATE EXTENSION pg_stat_statements")
            admin.execute("GRANT pg_read_all_stats TO pipeline")
        asked = {"window": 3, "evidence": ("catalog", "statements")}
        with made_pipeline(database, tmp_path, Proxy, users=2000, hold=0.3, **asked) as made:
            yield made


@contextmanager
def old_worker(pipeline: Pipeline) -> Iterator[Callable[..., dict[int, str]]]:
    """Release 1's own data access, in a process that no deploy has ended and that says nothing of itself: it reads."""
    spec = importlib.util.spec_from_file_location("old_release", pipeline.old.folder / "shop" / "release_1.py")
    assert spec is not None
    assert spec.loader is not None
    shop = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shop)
    engine = sa.create_engine(pipeline.dsn.replace("postgresql://", "postgresql+psycopg://", 1))

    def read(*ids: int) -> dict[int, str]:
        with Session(engine) as session:
            return {id_: name for id_, _, name in shop.read(session, ids)}

    yield read
    engine.dispose()


def test_no_customer_notices_a_whole_pipeline(pipeline: Pipeline) -> None:
    whole_pipeline(pipeline)

    print(f"\n{len(pipeline.requests)} requests, {len(pipeline.failures)} failed; {pipeline.observed} looks")
    print(pipeline.table())
    assert pipeline.failures == []
    assert len(pipeline.requests) > 100
    assert pipeline.served("control") == {"blue"}
    assert pipeline.served("blue 50 green 50") == {"blue", "green"}
    assert pipeline.served("contracted") == {"green"}
    assert "name" not in pipeline.new.columns("users")
    assert pipeline.new.steps()["contract 0002"] == "done"
    assert pipeline.new.value(
        "SELECT min(at) FILTER (WHERE kind LIKE 'contract %done') - max(at) FILTER (WHERE kind = 'tombstone') >= '1s'"
        " FROM ec.event WHERE revision = '0002' AND phase = 'contract'"
    ), "the contract began when the tombstone had soaked"


def test_an_old_worker_is_found_by_its_statement_and_by_the_tombstone_before_any_data_is_lost(
    counting_pipeline: Pipeline,
) -> None:
    """It says nothing of itself, so that no session shows it, and it reads the old column once."""
    pipeline, new = counting_pipeline, counting_pipeline.new
    first_release(pipeline)
    with pipeline.observer(), pipeline.customers():
        second_release(pipeline)
        pipeline.shift(100)
        pipeline.apps.pop("blue").stop()
        with pipeline.period("window"):
            waits_for(new, "no-tombstone", what="everything but the tombstone speaks for the contract")

        with old_worker(pipeline) as reads:
            before = reads(1, 2, 3)
            proof = new.json("prove", "0002", code=1)
            assert proof["verdict"] == "seen"
            assert "users.name" in " ".join(sign["because"] for sign in proof["signs"])
            reads(1)  # on a slow machine, its first reading is older than the window by now
            assert refused_codes(new) == {"referred-to", "no-tombstone"}

            with pipeline.period("tombstone"):
                new.ok("tombstone", "0002")
                with pytest.raises(sa.exc.ProgrammingError, match="permission denied for table users"):
                    reads(1, 2, 3)
            began = time.monotonic()
            with pipeline.period("tombstone undone"):
                new.ok("tombstone", "0002", "--undo")
                undo = time.monotonic() - began
                after = reads(1, 2, 3)
        assert before.keys() == after.keys() == {1, 2, 3}

        with pipeline.period("tombstone again"):
            new.ok("tombstone", "0002")
        with pipeline.period("window again"):
            waits_for(new, what="nobody has read it for a whole window, and the contract runs")

    print(f"\n{len(pipeline.requests)} requests, {len(pipeline.failures)} failed; ec tombstone --undo: {undo:.2f} s")
    print(pipeline.table())
    assert pipeline.failures == []
    assert "name" not in new.columns("users")
