"""Whether a statement refers to users.name, in every way in which SQL can."""

from __future__ import annotations

import pytest

from expandcontract.domain.removal import Removed
from expandcontract.lint.references import Unreadable, reference

NAME = Removed("users", "name")

REFERS = [
    "SELECT name FROM users",
    "SELECT id FROM users WHERE lower(name) = $1",
    "SELECT u.name FROM users AS u JOIN orders o ON o.user_id = u.id",
    "SELECT name FROM users JOIN orders USING (id)",
    "SELECT * FROM users",
    "TABLE users",
    "SELECT u.* FROM users u",
    "SELECT count(*), users FROM users GROUP BY users",
    "SELECT to_jsonb(u) FROM users u",
    "SELECT u FROM users u",
    "SELECT name(users) FROM users",
    "SELECT jsonb_populate_record(NULL::users, $1)",
    "SELECT 1 FROM users NATURAL JOIN orders",
    "SELECT 1 FROM users JOIN orders USING (name)",
    "SELECT id FROM users AS u(a, b)",
    "SELECT x.a FROM (SELECT name AS a FROM users) x",
    "WITH users AS (SELECT * FROM users) SELECT id FROM users",
    "SELECT id FROM users ORDER BY name",
    "INSERT INTO users VALUES ($1, $2)",
    "INSERT INTO users (id, name) VALUES ($1, $2)",
    "INSERT INTO users (id) VALUES ($1) RETURNING *",
    "INSERT INTO users (id) VALUES ($1) ON CONFLICT (name) DO NOTHING",
    "INSERT INTO users (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET name = $2",
    "UPDATE users SET name = $1",
    "UPDATE users SET id = $1 WHERE name IS NULL",
    "UPDATE public.users SET (id, name) = ($1, $2)",
    "DELETE FROM users WHERE name = $1",
    "MERGE INTO users u USING s ON u.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.x)",
    "MERGE INTO users u USING s ON u.id = s.id WHEN MATCHED THEN UPDATE SET name = s.x",
    "COPY users TO STDOUT",
    "COPY users (id, name) FROM STDIN",
    "COPY (SELECT name FROM users) TO STDOUT",
    "DECLARE c CURSOR FOR SELECT name FROM users",
    "PREPARE p AS SELECT name FROM users WHERE id = $1",
    "EXPLAIN SELECT name FROM users",
    "CREATE TABLE t AS SELECT * FROM users",
    "SELECT name FROM users WHERE id IN ($1 /*, ... */)",
    "SELECT id FROM users FOR UPDATE OF users -- and\n; SELECT name FROM users",
]

DOES_NOT = [
    "SELECT id, display_name FROM users",
    "SELECT count(*) FROM users",
    "SELECT id AS name FROM users",
    "SELECT o.name FROM users u JOIN orders o ON o.user_id = u.id",
    "SELECT o.* FROM users u JOIN orders o ON o.user_id = u.id",
    "SELECT c.name FROM users u, (SELECT 1 AS name) c",
    "SELECT name FROM orders",
    "SELECT name FROM super_users",
    "INSERT INTO users (id, display_name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING RETURNING id",
    "INSERT INTO users DEFAULT VALUES",
    "UPDATE users SET display_name = $1 WHERE id = $2",
    "DELETE FROM users WHERE id = $1",
    "COPY users (id, display_name) TO STDOUT",
    "SELECT id FROM users FOR UPDATE",
    "SELECT id FROM users WHERE created > now() - interval $1",
    "MERGE INTO users u USING s ON u.id = s.id WHEN MATCHED THEN UPDATE SET display_name = s.name",
    "FETCH $1 FROM c",
    "VACUUM users",
]


@pytest.mark.parametrize("text", REFERS)
def test_a_statement_that_refers_to_the_column(text: str) -> None:
    assert reference(text, NAME) is not None


@pytest.mark.parametrize("text", DOES_NOT)
def test_a_statement_that_does_not(text: str) -> None:
    assert reference(text, NAME) is None


def test_any_mention_of_a_table_refers_to_it() -> None:
    for text in ("SELECT count(*) FROM users", "TRUNCATE users", "LOCK TABLE users", "VACUUM users"):
        assert reference(text, Removed("users")) == "names it"
    assert reference("SELECT id FROM orders", Removed("users")) is None


def test_a_table_of_another_schema_is_another_one() -> None:
    assert reference("SELECT name FROM shop.users", Removed("users", "name", "app")) is None
    assert reference("SELECT name FROM users", Removed("users", "name", "app")) == "names it"
    assert reference('SELECT "Name" FROM "Users"', Removed("Users", "Name")) == "names it"


def test_what_cannot_be_read_and_names_both_is_not_taken_for_silence() -> None:
    with pytest.raises(Unreadable):
        reference("SELECT name FRM users", NAME)
    assert reference("FETCH $1 IN users_cursor", NAME) is None
