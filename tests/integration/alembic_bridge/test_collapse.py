"""Collapse mode: plain ``alembic upgrade head`` runs every phase, where nobody's traffic depends on the schema."""

from __future__ import annotations

import pytest

from tests.fixtures.project import ASYNC_ENV, SYNC_ENV, AlembicProject


def collapsing(env: str) -> str:
    return "from expandcontract import collapse\n" + env.replace(
        "connection=connection", "connection=connection, on_version_apply=collapse"
    )


@pytest.fixture(params=["sync", "asyncpg"])
def collapsed(renaming: AlembicProject, request: pytest.FixtureRequest) -> AlembicProject:
    """The renaming with collapse mode in its env.py, and a row from before it."""
    renaming.alembic("upgrade", "0001")
    renaming.execute("INSERT INTO users (name) VALUES ('Ada')")
    env = SYNC_ENV if request.param == "sync" else ASYNC_ENV.replace("DRIVER", request.param)
    renaming.write("migrations/env.py", collapsing(env))
    return renaming


def test_plain_alembic_runs_every_phase_and_the_ledger_knows(collapsed: AlembicProject) -> None:
    ran = collapsed.alembic("upgrade", "head")

    assert ran.code == 0, ran
    assert "name" not in collapsed.columns("users")
    assert collapsed.rows("SELECT display_name FROM users") == [("Ada",)]
    done = ("expand 0001", "expand 0002", "backfill 0002", "contract 0002")
    assert collapsed.steps() == dict.fromkeys(done, "done")
    assert collapsed.json("migrate", "all")["outcome"] == "nothing"


def test_ec_runs_the_phases_in_their_own_time_whatever_env_py_says(renaming: AlembicProject) -> None:
    renaming.write("migrations/env.py", collapsing(SYNC_ENV))
    renaming.ok("migrate", "expand")
    assert {"name", "display_name"} <= set(renaming.columns("users"))


def test_it_is_refused_where_a_colour_was_ever_seen(renaming: AlembicProject) -> None:
    renaming.ok("init")
    renaming.alembic("upgrade", "0001")
    renaming.ok("colour", "deploy", "blue", "1")
    renaming.ok("colour", "retire", "blue")
    renaming.write("migrations/env.py", collapsing(SYNC_ENV))
    before = renaming.snapshot()

    refused = renaming.alembic("upgrade", "head")

    assert refused.code == 255
    assert "has seen a colour" in refused.stdout + refused.stderr
    assert renaming.snapshot() == before
