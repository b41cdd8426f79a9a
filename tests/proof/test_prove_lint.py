"""``ec lint --prove`` on real servers: what is seen, and that a wrong claim would be noticed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from expandcontract.cli.lint import lint
from expandcontract.commands.prove_lint import Step, prove
from expandcontract.lint.server import effects
from expandcontract.lint.statement import AddColumn
from tests.fixtures.servers import Database

ROOT = Path(__file__).parents[2]
TEXT = """
CREATE TABLE users (id bigint PRIMARY KEY, name varchar(40), age integer);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint);
BEGIN;
ALTER TABLE users ALTER COLUMN name TYPE text;
ALTER TABLE users ALTER COLUMN age TYPE bigint;
COMMIT;
ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id);
CREATE INDEX CONCURRENTLY i ON users (name);
DO $$ BEGIN DROP INDEX i; END $$;
ALTER TABLE nowhere ADD COLUMN a int;
"""


@pytest.fixture
def scratch(database: Database) -> str:
    return database.superuser_dsn


def test_every_statement_is_run_and_agrees_with_the_rules(scratch: str, tmp_path: Path) -> None:
    file = tmp_path / "a.sql"
    file.write_text(TEXT)

    result = CliRunner().invoke(lint, [str(file), "--prove", scratch, "--json"])

    document = json.loads(result.stdout)
    assert (result.exit_code, document["outcome"]) == (0, "done")
    work = {
        each["statement"].split()[2] + " " + each["statement"].split()[-1]: each["work"]
        for each in document["statements"]
    }
    assert work["users text"] == []
    assert work["users bigint"] == ["rewrite"]
    (key,) = [each for each in document["statements"] if "FOREIGN KEY" in each["statement"]]
    assert key["locks"] == {"orders": "SHARE ROW EXCLUSIVE", "users": "SHARE ROW EXCLUSIVE"}
    assert key["work"] == ["key check"]
    (concurrent,) = [each for each in document["statements"] if "CONCURRENTLY" in each["statement"]]
    assert concurrent["locks"] == {"users": "SHARE UPDATE EXCLUSIVE"}
    assert concurrent["work"] == ["index build"]
    assert [each["line"] for each in document["statements"] if each["error"]] == [11]


def test_a_wrong_claim_is_noticed(scratch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(effects._HANDLERS, AddColumn)
    steps = [Step("a.sql", 1, "CREATE TABLE a (b int)"), Step("a.sql", 2, "ALTER TABLE a ADD COLUMN c int")]

    proofs = prove(steps, scratch)

    assert [proof.differences for proof in proofs] == [(), ("a: said no lock, seen ACCESS EXCLUSIVE",)]


def test_without_a_dsn_the_tree_runs_on_a_server_of_our_own(installation: object, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "migrations_example", tmp_path / "shop")

    answer = subprocess.run(
        [sys.executable, "-m", "expandcontract", "lint", "--prove", "--json"],
        cwd=tmp_path / "shop", capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert answer.returncode == 0, answer.stderr
    document = json.loads(answer.stdout)
    seen = {each["statement"]: each for each in document["statements"]}
    assert [each["statement"] for each in document["statements"] if each["error"] or each["differences"]] == []
    (validate,) = [each for statement, each in seen.items() if "VALIDATE" in statement]
    assert validate["locks"] == {"users": "SHARE UPDATE EXCLUSIVE"}
    assert validate["work"] == ["scan"]
    assert {each["phase"] for each in document["statements"]} == {"upgrade", "downgrade", "backfill", "contract"}
    (backfill,) = [each for each in document["statements"] if each["phase"] == "backfill"]
    assert backfill["locks"] == {"users": "ROW EXCLUSIVE"}


def test_a_path_after_prove_is_a_path(installation: object, tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("CREATE TABLE a (b int); ALTER TABLE a ADD COLUMN c int;")

    result = CliRunner().invoke(lint, ["--prove", str(tmp_path / "a.sql")])

    assert result.exit_code == 0, result.output
    assert "ACCESS EXCLUSIVE on a" in result.stdout
    assert result.stdout.endswith("2 statements run, 0 failed, 0 differ from what the rules say\n")
