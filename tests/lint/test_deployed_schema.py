"""``--schema-from``: a live catalogue decides what a statement does to it."""

from __future__ import annotations

import json
import subprocess
import sys

import psycopg
import pytest

from expandcontract.commands.deployed import deployed_schema
from expandcontract.lint import lint_sql
from expandcontract.lint.schema import Schema
from tests.fixtures.servers import Database

DEPLOYED = """
CREATE SCHEMA shop;
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(40), email text, feels mood,
    age integer DEFAULT 0 NOT NULL, "Odd" positive, twice integer GENERATED ALWAYS AS (age * 2) STORED,
    CONSTRAINT email_given CHECK (email IS NOT NULL));
ALTER TABLE users ADD CONSTRAINT name_given CHECK (name IS NOT NULL) NOT VALID;
CREATE TABLE shop.orders (id serial PRIMARY KEY, user_id bigint REFERENCES users (id), note varchar(10));
CREATE UNIQUE INDEX orders_note ON shop.orders (lower(note)) WHERE note IS NOT NULL;
CREATE VIEW adults AS SELECT id, age FROM users WHERE age > 17;
CREATE TABLE events (at timestamptz NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION code() RETURNS text LANGUAGE sql AS 'SELECT gen_random_uuid()::text';
CREATE FUNCTION steady() RETURNS text LANGUAGE sql STABLE AS 'SELECT max(name) FROM public.users';
CREATE FUNCTION named(u users) RETURNS text LANGUAGE sql AS 'SELECT u.name';
CREATE TABLE sorted (a text COLLATE "C", b text DEFAULT steady());
CREATE INDEX sorted_a ON sorted (a);
CREATE TABLE guarded (id bigint PRIMARY KEY, owner varchar(20));
CREATE POLICY own ON guarded USING (owner = current_user);
CREATE TRIGGER touched BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
"""


@pytest.fixture
def deployed(each_database: Database) -> Database:
    with each_database.connect(autocommit=True) as connection:
        connection.execute(DEPLOYED)
    return each_database


def rules(database: Database, sql: str) -> set[str]:
    answer = subprocess.run(
        [sys.executable, "-m", "expandcontract", "lint", "-", "--json", "--schema-from", database.dsn],
        input=sql, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode in (0, 1), answer.stderr
    return {each["rule"] for each in json.loads(answer.stdout)["findings"]}


def test_the_schema_is_what_the_catalogue_holds(deployed: Database) -> None:
    schema = Schema.from_sql(deployed_schema(deployed.dsn, "the test"))

    assert {"users", "shop.orders", "events", "events_2026", "events_rest", "sorted", "guarded"} == set(schema.tables)
    assert str(schema.tables["users"].columns["name"].type) == "varchar(40)"
    assert schema.column_not_null("users", "age")
    assert schema.tables["users"].columns["twice"].generated
    assert not schema.tables["users"].constraints["name_given"].valid
    assert schema.referencing("users") == ["shop.orders"]
    assert schema.partitions("events") == ["events_2026", "events_rest"]
    assert schema.default_partition("events") == "events_rest"
    assert schema.views_reading("users", "age") == ["adults"]
    assert schema.indexes["shop.orders_note"].unique
    assert set(schema.enums) == {"mood"}
    assert set(schema.tables["users"].triggers) == {"touched"}


def test_what_was_read_runs_on_an_empty_database(deployed: Database) -> None:
    sql = deployed_schema(deployed.dsn, "the test")

    with deployed.connect(autocommit=True) as connection:
        connection.execute("DROP SCHEMA shop, public CASCADE")
        connection.execute(sql.encode())

    assert deployed_schema(deployed.dsn, "the test") == sql


@pytest.mark.parametrize(
    ("sql", "rule", "expected"),
    [
        ("ALTER TABLE users ALTER COLUMN email SET NOT NULL", "set-not-null-scan", False),
        ("ALTER TABLE users ALTER COLUMN name SET NOT NULL", "set-not-null-scan", True),
        ("ALTER TABLE users ALTER COLUMN name TYPE varchar(80)", "change-type-rewrite", False),
        ("ALTER TABLE users ALTER COLUMN name TYPE varchar(20)", "change-type-rewrite", True),
        ("ALTER TABLE users ALTER COLUMN age TYPE bigint", "change-type-used-by-view", True),
        ("DROP TABLE shop.orders", "drop-table-locks-referenced", True),
        ("CREATE INDEX CONCURRENTLY i ON events (what)", "concurrently-on-partitioned-parent", True),
    ],
)
def test_the_catalogue_decides(deployed: Database, sql: str, rule: str, expected: bool) -> None:
    assert (rule in rules(deployed, sql)) is expected


def test_ec_database_url_is_the_default(deployed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-m", "expandcontract", "lint", "--schema-from", "-", "--json"]
    sql = "ALTER TABLE users ALTER COLUMN name TYPE varchar(80)"
    monkeypatch.setenv("EC_DATABASE_URL", deployed.url)
    answer = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
    monkeypatch.delenv("EC_DATABASE_URL")
    without = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)

    assert "change-type-rewrite" not in answer.stdout
    assert answer.returncode == 0, answer.stderr
    assert (without.returncode, "--schema-from needs a DSN" in without.stderr) == (2, True)


def test_a_server_that_is_away_is_no_fault() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "expandcontract", "lint", "-", "--schema-from", "host=127.0.0.1 port=1 dbname=a"],
        input="", capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert answer.returncode == 6
    assert "no connection to the server" in answer.stderr


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("ALTER TABLE sorted ALTER COLUMN a TYPE varchar", "change-type-index-rebuild"),
        ("ALTER TABLE guarded ALTER COLUMN owner TYPE varchar(40)", "change-type-used-by-view"),
        ("ALTER TABLE sorted ADD COLUMN c text DEFAULT code()", "add-column-volatile-default"),
    ],
)
def test_collations_policies_and_functions_are_known(deployed: Database, sql: str, expected: str) -> None:
    assert expected in rules(deployed, sql)


@pytest.mark.parametrize(
    "sql",
    ['ALTER TABLE sorted ALTER COLUMN a TYPE varchar COLLATE "C"', "ALTER TABLE sorted ADD c text DEFAULT steady()"],
)
def test_what_the_catalogue_shows_to_be_cheap_is_fine(deployed: Database, sql: str) -> None:
    assert not {"change-type-index-rebuild", "add-column-volatile-default"} & rules(deployed, sql)


def test_an_invalid_index_is_known(deployed: Database) -> None:
    with deployed.connect(autocommit=True) as connection:
        connection.execute("INSERT INTO sorted (a) VALUES ('x'), ('x')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY left_behind ON sorted (a)")

    assert "left_behind" in Schema.from_sql(deployed_schema(deployed.dsn, "the test")).indexes


def test_a_finding_says_how_large_the_table_is(deployed: Database) -> None:
    with deployed.connect(autocommit=True) as connection:
        connection.execute("INSERT INTO sorted (a) SELECT i::text FROM generate_series(1, 2000) i; ANALYZE sorted")
    schema = Schema.from_sql(deployed_schema(deployed.dsn, "the test"))

    (index,) = [each for each in lint_sql("CREATE INDEX i ON sorted (b)", schema=schema) if each.severity == "error"]
    (brief,) = [
        each for each in lint_sql("ALTER TABLE sorted DROP COLUMN b", schema=schema) if each.severity == "error"
    ]
    assert "sorted has about 2,000 rows, " in index.message
    assert "2,000" not in brief.message
