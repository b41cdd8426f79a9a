"""What the catalogue knows to stand on a column or a table, on every PostgreSQL found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from expandcontract.database.executor import PsycopgExecutor
from expandcontract.domain.removal import Removed
from expandcontract.evidence.dependants import Relation, dependants, publications, relations
from tests.fixtures.servers import Database

SCHEMA = """
CREATE TYPE mood AS ENUM ('good');
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                    name text NOT NULL DEFAULT 'x' CHECK (name <> ''),
                    email text UNIQUE, serial_no serial, mood mood);
CREATE INDEX lower_name ON users (lower(name));
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touches BEFORE UPDATE OF name ON users FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER when_named BEFORE UPDATE ON users FOR EACH ROW WHEN (NEW.name = 'x') EXECUTE FUNCTION touch();
CREATE TABLE orders (id bigint PRIMARY KEY, user_email text REFERENCES users (email), user_id bigint REFERENCES users);
CREATE RULE kept AS ON DELETE TO orders DO ALSO UPDATE users SET name = 'gone' WHERE id = OLD.user_id;
CREATE MATERIALIZED VIEW loud AS SELECT upper(name) AS loud FROM users;
CREATE VIEW louder AS SELECT loud FROM loud;
CREATE TABLE log (at date, name text) PARTITION BY RANGE (at);
CREATE TABLE log_2025 PARTITION OF log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX ON log (at, name);
"""
USERS = Relation("public", "users", ())


@pytest.fixture
def executor(each_database: Database) -> Iterator[PsycopgExecutor]:
    """In a database with a table on which much stands."""
    with each_database.connect(autocommit=True) as connection:
        connection.execute(SCHEMA.encode())
        connection.execute("SET search_path TO pg_catalog")
        yield PsycopgExecutor(connection)


def standing(executor: PsycopgExecutor, relation: Relation, *columns: str) -> set[str]:
    return {one.description.replace("public.", "") for one in dependants(executor, relation, columns)}


def test_what_needs_a_column_and_not_what_goes_with_it(executor: PsycopgExecutor) -> None:
    assert standing(executor, USERS, "name") == {
        "trigger touches on table users",
        "trigger when_named on table users",
        "rule kept on table orders",
        "materialized view loud",
    }
    assert standing(executor, USERS, "email") == {"constraint orders_user_email_fkey on table orders"}
    assert standing(executor, USERS, "serial_no") == set()
    assert standing(executor, USERS, "mood") == set()


def test_what_needs_a_table_and_not_its_own_parts(executor: PsycopgExecutor) -> None:
    assert standing(executor, USERS) == {
        "constraint orders_user_email_fkey on table orders",
        "constraint orders_user_id_fkey on table orders",
        "rule kept on table orders",
        "materialized view loud",
    }
    assert standing(executor, Relation("public", "loud", ())) == {"view louder"}


def test_the_partitions_of_a_table_are_looked_at_as_well(executor: PsycopgExecutor) -> None:
    found = relations(executor, Removed("log", "name"))

    assert [(one.name, one.columns) for one in found] == [("log", ("at", "name")), ("log_2025", ("at", "name"))]
    assert standing(executor, found[0], "name") == {"index log_at_name_idx"}
    assert standing(executor, found[0]) == set()
    assert relations(executor, Removed("nothing")) == ()


def test_who_is_sent_the_rows(executor: PsycopgExecutor, each_database: Database) -> None:
    assert publications(executor, USERS) == ()
    executor.rows("CREATE PUBLICATION out FOR TABLE public.users")
    assert publications(executor, USERS) == ("out",)
