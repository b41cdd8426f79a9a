"""What the server says of statements that it plans for a role without a column, on every PostgreSQL found."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import sql

from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.own_statements import OwnCursor
from expandcontract.database.probe import Probe, Unaskable, role_trouble
from expandcontract.database.tombstones import Taken
from expandcontract.domain.proof import Answer
from tests.fixtures.project import until
from tests.fixtures.servers import Database

TOUCHES = """
SELECT id, name FROM users WHERE id = $1
SELECT * FROM users
SELECT u FROM users u
SELECT id FROM users NATURAL JOIN people
SELECT s.id FROM (SELECT name, id FROM users) s
SELECT CASE WHEN $1 THEN (SELECT max(name) FROM users) END
SELECT id FROM teams WHERE $1 AND EXISTS (SELECT FROM users WHERE name = $2)
INSERT INTO users VALUES ($1, $2, $3)
INSERT INTO users (id) VALUES ($1) RETURNING *
UPDATE users SET name = $1 WHERE id = $2
DELETE FROM users WHERE name = $1
MERGE INTO users u USING teams t ON u.id = t.id WHEN MATCHED THEN UPDATE SET name = t.title
DECLARE c CURSOR FOR SELECT name FROM users
CREATE TABLE copied AS SELECT name FROM users
"""

SPARES = """
SELECT count(*) FROM users
SELECT id FROM users WHERE id IN ($1 /*, ... */) FOR UPDATE
SELECT title FROM users JOIN teams USING (id) WHERE title = $1
SELECT id FROM users NATURAL JOIN teams
INSERT INTO users VALUES ($1)
INSERT INTO users (id, "100 %") VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET "100 %" = excluded."100 %"
UPDATE users SET "100 %" = $1 WHERE id = $2
DELETE FROM users WHERE id = $1
DECLARE c CURSOR FOR SELECT id FROM users
"""

UNKNOWN = {
    "COPY users (name) TO STDOUT": "plans no such statement",
    "TRUNCATE users": "plans no such statement",
    "SELECT id FROM users WHERE now() > now() - interval $1": "syntax error",
    "SELECT name FROM users JOIN nowhere USING (id)": "does not exist",
    "SELECT id FROM users; DROP TABLE teams": "multiple commands",
    "SELECT name FROM users, secret": "permission denied for table secret",
    "SELECT users.id FROM users JOIN shared ON true": "several schemas have a table shared",
}


@dataclass
class Asked:
    """A table with a column that goes, and who is asked about it."""

    connection: psycopg.Connection[Any]
    role: str
    admin: psycopg.Connection[Any]

    def answers(self, *texts: str, column: str | None = "name", patience: float = 5.0) -> list[Answer]:
        taken = Taken("public", "users", (column,) if column else ())
        found = Probe(self.connection, self.role, patience).ask(taken, texts, 60)
        return [found[text].answer for text in texts]

    def because(self, text: str) -> str:
        word = Probe(self.connection, self.role, 5.0).ask(Taken("public", "users", ("name",)), [text], 60)[text]
        assert word.answer is Answer.UNKNOWN
        return word.because

    def state(self) -> object:
        return self.admin.execute("SELECT relname, relacl, xmin FROM pg_class WHERE relkind = 'r'").fetchall()


@pytest.fixture
def asked(each_database: Database) -> Iterator[Asked]:
    """The application may read and write what it needs, and the probe is a member of it."""
    app, probe = (f"ec_{word}_{secrets.token_hex(4)}" for word in ("app", "probe"))
    names = {"app": sql.Identifier(app), "probe": sql.Identifier(probe), "runner": sql.Identifier(each_database.role)}
    with psycopg.connect(each_database.superuser_dsn, autocommit=True) as admin:
        for statement in ("CREATE ROLE {app}", "CREATE ROLE {probe} IN ROLE {app}", "GRANT {probe} TO {runner}"):
            admin.execute(sql.SQL(statement).format(**names))
        try:
            with each_database.connect(autocommit=True, cursor_factory=OwnCursor) as connection:
                connection.execute('CREATE TABLE users (id bigint PRIMARY KEY, name text, "100 %" text)')
                connection.execute("CREATE TABLE teams (id bigint, title text); CREATE TABLE people (name text)")
                connection.execute("CREATE TABLE shared (id int); CREATE TABLE secret (only_ours int)")
                tables = sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON users, teams, people, shared TO {app}")
                connection.execute(tables.format(**names))
                admin.execute("CREATE SCHEMA other CREATE TABLE shared (id int)")
                yield Asked(connection, probe, admin)
        finally:
            for role in (probe, app):
                admin.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
                admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_the_server_tells_what_touches_a_column_and_nothing_lasts(asked: Asked) -> None:
    before = asked.state()
    knows_merge = asked.connection.info.server_version >= 150000
    touching = [text for text in TOUCHES.strip().splitlines() if knows_merge or not text.startswith("MERGE")]
    sparing = SPARES.strip().splitlines()

    said = dict(zip([*touching, *sparing], asked.answers(*touching, *sparing), strict=True))

    assert [text for text in touching if said[text] is not Answer.TOUCHES] == []
    assert [text for text in sparing if said[text] is not Answer.SPARES] == []
    for text, words in UNKNOWN.items():
        assert words in asked.because(text)
    assert asked.state() == before
    assert asked.connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
    assert asked.connection.execute("SELECT count(*) FROM users").fetchone() == (0,)


def test_a_table_that_goes_is_touched_by_whatever_needs_it(asked: Asked) -> None:
    texts = (
        "SELECT count(*) FROM users",
        "DELETE FROM users WHERE id = $1",
        "WITH users AS (SELECT title FROM teams) SELECT title FROM users",
        "SELECT users.title FROM teams AS users",
    )
    assert asked.answers(*texts, column=None) == [Answer.TOUCHES, Answer.TOUCHES, Answer.SPARES, Answer.SPARES]


def test_a_tombstone_that_stands_changes_no_answer(asked: Asked) -> None:
    asked.connection.execute(f"REVOKE ALL ON users FROM {_app(asked)}")
    asked.connection.execute(f'GRANT SELECT (id, "100 %") ON users TO {_app(asked)}')

    answers = asked.answers("SELECT name FROM users", "SELECT id FROM users", "SELECT name FROM users, secret")

    assert answers == [Answer.TOUCHES, Answer.SPARES, Answer.UNKNOWN]


def test_a_role_that_can_lack_nothing_or_that_ec_may_not_become_is_no_probe(asked: Asked) -> None:
    executor = PsycopgExecutor(asked.connection)
    assert role_trouble(executor, asked.role) is None
    assert role_trouble(executor, "nobody_of_that_name") == "there is no such role"
    assert "superuser" in (role_trouble(executor, "postgres") or "")
    assert "may not become it" in (role_trouble(executor, "pg_read_all_data") or "")
    assert "owns tables" in (role_trouble(executor, asked.connection.info.user) or "")
    assert "ec runs as a superuser" in (role_trouble(PsycopgExecutor(asked.admin), asked.role) or "")

    asked.admin.execute(sql.SQL("GRANT pg_read_all_data TO {}").format(sql.Identifier(asked.role)))
    with pytest.raises(Unaskable, match=r"it can't lack public\.users\.name: .* pg_read_all_data"):
        asked.answers("SELECT id FROM users")


def test_a_function_that_planning_calls_changes_nothing(asked: Asked) -> None:
    body = "BEGIN RESET ROLE; DELETE FROM teams; RETURN 1; END"
    asked.connection.execute("INSERT INTO teams (id) VALUES (1)")
    asked.connection.execute(f"CREATE FUNCTION worse() RETURNS int LANGUAGE plpgsql AS '{body}'")
    body = "BEGIN RETURN worse(); END"  # what isn't volatile may call what is
    asked.connection.execute(f"CREATE FUNCTION sly() RETURNS int IMMUTABLE LANGUAGE plpgsql AS '{body}'")

    assert "read-only transaction" in asked.because("SELECT id FROM users WHERE id = sly()")
    assert asked.connection.execute("SELECT count(*) FROM teams").fetchone() == (1,)


def test_a_table_that_somebody_has_locked_is_not_waited_for(asked: Asked) -> None:
    with asked.admin.transaction():
        asked.admin.execute("ALTER TABLE users ADD COLUMN later int")
        with pytest.raises(Unaskable, match=r"lock timeout|statement timeout"):
            asked.answers("SELECT id FROM users", patience=0.2)
    until(lambda: asked.answers("SELECT id FROM users") == [Answer.SPARES], what="the lock is gone")


def _app(asked: Asked) -> str:
    rows = "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = %s::regrole"
    return str(asked.admin.execute(rows, [asked.role]).fetchall()[0][0])
