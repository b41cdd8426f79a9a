"""``flask ec …`` in an application with Flask-Migrate: its folder, its configuration, its engine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.project import CREATE_USERS, rename_name

APP = """
import os

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = {url!r}
db = SQLAlchemy(app)
migrate = Migrate(app, db, directory="schema/steps")


@migrate.configure
def note(config):
    print("configured by the application", file=__import__("sys").stderr)
    return config
"""


@pytest.fixture
def flask(tmp_path: Path, database, make_project):
    (tmp_path / "shop.py").write_text(APP.format(url=database.url))
    project = make_project(database)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flask", "--app", "shop", *arguments]
        environment = project.environment({"EC_DATABASE_URL": None})
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=90)

    assert run("db", "init").returncode == 0
    versions = tmp_path / "schema" / "steps" / "versions"
    head = "import sqlalchemy as sa\nfrom alembic import op\n\nrevision, down_revision = {!r}, {!r}\n"
    (versions / "0001.py").write_text(head.format("0001", None) + CREATE_USERS)
    (versions / "0002.py").write_text(head.format("0002", "0001") + rename_name("1ms"))
    return run


def test_flask_ec_does_what_ec_does(flask, database):
    ran = flask("ec", "migrate", "expand", "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["steps"] == ["expand 0001", "expand 0002"]
    assert "configured by the application" in ran.stderr
    assert flask("ec", "backfill").returncode == 0
    assert flask("ec", "colour", "deploy", "blue", "1").returncode == 0
    refused = flask("ec", "migrate", "contract")
    assert refused.returncode == 3
    assert "refused: contract 0002" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert flask("ec", "lint", "--exit-zero").returncode == 0
    assert flask("db", "current").stdout.strip().startswith("0002")
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM ec.step WHERE state = 'done'").fetchone() == (3,)


def test_another_folder_can_be_named_and_an_application_without_flask_migrate_is_told(flask, tmp_path):
    assert "no-such" in flask("ec", "-d", "no-such", "plan").stderr
    shop = tmp_path / "shop.py"
    shop.write_text("from flask import Flask\n\napp = Flask(__name__)\n")

    ran = flask("ec", "plan")

    assert ran.returncode == 2
    assert "this application has no Flask-Migrate" in ran.stderr
