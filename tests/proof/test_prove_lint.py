"""``ec lint --prove`` on real servers: what is seen, and that a wrong claim would be noticed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from servers import Server, installations, running

from expandcontract.cli.lint import lint
from expandcontract.commands.prove_lint import Step, prove
from expandcontract.lint.server import effects
from expandcontract.lint.statement import AddColumn

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


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    version = max(installations())
    with running(version, installations()[version]) as started:
        yield started


@pytest.fixture
def scratch(server: Server) -> str:
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS scratch WITH (FORCE)")
        admin.execute("CREATE DATABASE scratch")
    return server.dsn("scratch")


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
    assert concurrent["locks"] is None
    assert [each["line"] for each in document["statements"] if each["error"]] == [11]


def test_a_wrong_claim_is_noticed(scratch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(effects._HANDLERS, AddColumn)
    steps = [Step("a.sql", 1, "CREATE TABLE a (b int)"), Step("a.sql", 2, "ALTER TABLE a ADD COLUMN c int")]

    proofs = prove(steps, scratch)

    assert [proof.differences for proof in proofs] == [(), ("a: said no lock, seen ACCESS EXCLUSIVE",)]
