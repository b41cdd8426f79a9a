"""pytest-alembic's own four tests, on our example, with the models of the time in which its contract waits."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "migrations_example"

MODELS = """
target_metadata = sa.MetaData()
sa.Table(
    "users",
    target_metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("display_name", sa.Text),
)
"""

FOUR = ("test_model_definitions_match_ddl", "test_single_head_revision", "test_up_down_consistency", "test_upgrade")

CONFTEST = """
import pytest
import sqlalchemy as sa


@pytest.fixture
def alembic_config():
    return {{"file": "alembic.ini", "script_location": "migrations"}}


@pytest.fixture
def alembic_engine():
    return sa.create_engine({url!r})
"""


def test_its_four_tests_pass(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, database) -> None:
    shutil.copytree(EXAMPLE, pytester.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    env = pytester.path / "migrations" / "env.py"
    env.write_text(env.read_text().replace("target_metadata = None", MODELS))
    pytester.makeconftest(CONFTEST.format(url=database.url))
    pytester.makepyfile(test_migrations=f"from pytest_alembic.tests import {', '.join(FOUR)}\n")
    monkeypatch.setenv("EC_DATABASE_URL", database.dsn)

    ran = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider", "-n", "0")

    ran.assert_outcomes(passed=4)
