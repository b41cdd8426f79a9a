"""Forms of statement whose locks and work are easily got wrong, on real servers, against what the linter works out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from expandcontract.commands.prove_lint import Step, prove
from tests.fixtures.servers import Server
from tests.proof.observing import dsn, fresh_database, proof_database

SCHEMA = """
CREATE SCHEMA s;
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN given AS int DEFAULT 7;
CREATE TYPE pair AS (a int, b text);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE parent (id bigint PRIMARY KEY, n int);
CREATE TABLE child (id bigint PRIMARY KEY, parent_id bigint REFERENCES parent, name varchar(30), note text, qty int,
    CONSTRAINT qty_positive CHECK (qty > 0), CONSTRAINT note_given CHECK (note IS NOT NULL),
    CONSTRAINT said_not_valid CHECK (qty < 100) NOT VALID);
CREATE INDEX child_name ON child (name);
CREATE TABLE heir (extra int) INHERITS (child);
CREATE TABLE grandchild (id bigint PRIMARY KEY, child_id bigint CONSTRAINT to_child REFERENCES child);
CREATE TABLE sorted (a text COLLATE "C");
CREATE INDEX sorted_a ON sorted (a);
CREATE TABLE typed OF pair;
CREATE TABLE events (id bigint NOT NULL, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_24 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE about (id bigint, at date, FOREIGN KEY (id, at) REFERENCES events);
CREATE TABLE listed (code text NOT NULL) PARTITION BY LIST (code);
CREATE TABLE listed_proven (code text NOT NULL, CHECK (code IN ('x', 'y')));
CREATE TABLE listed_open (code text NOT NULL);
CREATE VIEW named AS SELECT id, name FROM child;
CREATE TABLE s.apart (id int PRIMARY KEY, x text);
CREATE INDEX apart_x ON s.apart (x);
"""
STATEMENTS = [
    "ALTER TABLE child ADD COLUMN x int",
    "ALTER TABLE child ADD COLUMN x positive",
    "ALTER TABLE child ADD COLUMN x positive[]",
    "ALTER TABLE child ADD COLUMN x given NOT NULL",
    "ALTER TABLE child ADD COLUMN x int CHECK (x > 0) NO INHERIT",
    "ALTER TABLE child DROP COLUMN parent_id",
    "ALTER TABLE child DROP COLUMN id CASCADE",
    "ALTER TABLE child ALTER COLUMN parent_id TYPE int",
    "ALTER TABLE child ALTER COLUMN qty SET NOT NULL",
    "ALTER TABLE child ALTER COLUMN note SET NOT NULL",
    "ALTER TABLE child ALTER COLUMN note SET NOT NULL, DROP CONSTRAINT note_given",
    "ALTER TABLE child ALTER COLUMN qty TYPE bigint, DROP CONSTRAINT qty_positive",
    "ALTER TABLE child ALTER COLUMN qty SET STATISTICS 5",
    "ALTER TABLE heir ALTER COLUMN note SET NOT NULL",
    "ALTER TABLE child ADD CONSTRAINT few CHECK (qty < 9)",
    "ALTER TABLE child ADD CONSTRAINT few CHECK (qty < 9) NOT VALID, VALIDATE CONSTRAINT few",
    "ALTER TABLE child VALIDATE CONSTRAINT said_not_valid",
    "ALTER TABLE child DROP CONSTRAINT qty_positive",
    "ALTER TABLE child DROP CONSTRAINT child_pkey CASCADE",
    "ALTER TABLE grandchild DROP CONSTRAINT to_child",
    "ALTER TABLE about DROP CONSTRAINT about_id_at_fkey",
    "ALTER TABLE child RENAME COLUMN qty TO quantity",
    "ALTER TABLE sorted ALTER COLUMN a TYPE varchar",
    "ALTER TABLE sorted ALTER COLUMN a TYPE varchar COLLATE \"C\"",
    "ALTER TYPE pair RENAME ATTRIBUTE a TO x CASCADE",
    "ALTER TYPE pair ALTER ATTRIBUTE a TYPE bigint CASCADE",
    "ALTER TABLE events DETACH PARTITION events_24",
    "CREATE TABLE events_25 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
    "CREATE TRIGGER touched AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION touch()",
    "ALTER TABLE listed ATTACH PARTITION listed_proven FOR VALUES IN ('x', 'y')",
    "ALTER TABLE listed ATTACH PARTITION listed_open FOR VALUES IN ('x', 'y')",
    "DROP TABLE child CASCADE",
    "DROP TABLE about",
    "TRUNCATE parent CASCADE",
    "CREATE INDEX IF NOT EXISTS apart_x ON s.apart (x)",
    "CREATE INDEX IF NOT EXISTS another ON s.apart (x)",
    "SELECT * FROM child FOR UPDATE",
    "REINDEX TABLE CONCURRENTLY child",
    "DROP INDEX CONCURRENTLY child_name",
    "VACUUM FULL child",
    "REINDEX SCHEMA s",
    "DO $$ BEGIN ALTER TABLE child ADD COLUMN x int; CREATE INDEX ON parent (n); END $$",
]  # fmt: skip


@pytest.fixture(scope="module")
def prepared(each_server: Server) -> Iterator[Server]:
    with proof_database(each_server):
        yield each_server


@pytest.mark.parametrize("statement", STATEMENTS)
def test_what_is_seen_is_what_the_linter_works_out(prepared: Server, statement: str) -> None:
    with fresh_database(prepared):
        (proof,) = prove([Step("a.sql", 1, statement)], dsn(prepared), deployed=SCHEMA)

    assert (proof.observed.error, proof.differences) == (None, ())
