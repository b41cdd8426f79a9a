"""
The whole pipeline with real HTTP processes on each colour, and customers who never notice.

The same with nginx in the place of our proxy is in ``tests/compat/test_pipeline_nginx.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.pipeline import Pipeline, Proxy, made_pipeline, whole_pipeline
from tests.fixtures.servers import Database

SHORT = pytest.param((2000, 0.6), id="short")
LONG = pytest.param((50_000, 8.0), id="long", marks=pytest.mark.long)


@pytest.fixture(params=[SHORT, LONG])
def pipeline(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> Iterator[Pipeline]:
    users, hold = request.param
    with made_pipeline(database, tmp_path, Proxy, users=users, hold=hold) as made:
        yield made


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
