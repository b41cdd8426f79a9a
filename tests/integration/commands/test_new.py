"""What the recipes refuse that move columns from one table to another, and whom they serve."""

from __future__ import annotations

import pytest

from tests.fixtures.project import AlembicProject

TABLES = (
    "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, bio text, email text UNIQUE, boss bigint"
    " REFERENCES users, score int CHECK (score > 0), words text, made timestamptz DEFAULT clock_timestamp())",
    "CREATE INDEX by_words ON users (lower(words))",
    "CREATE TABLE profiles (user_id bigint PRIMARY KEY REFERENCES users, bio text)",
    "CREATE TABLE posts (id bigint PRIMARY KEY, user_id bigint REFERENCES users)",
    "CREATE TABLE pairs (a bigint UNIQUE REFERENCES users, b bigint UNIQUE REFERENCES users)",
    "CREATE TABLE late (user_id bigint UNIQUE REFERENCES users DEFERRABLE)",
    "CREATE TABLE keyless (a text)",
)


@pytest.fixture
def tables(project: AlembicProject) -> AlembicProject:
    project.execute(*TABLES)
    project.ok("init")
    return project


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("users email x", "the unique constraint users_email_key stands on users.email"),
        ("users boss x", "the foreign key users_boss_fkey stands on users.boss"),
        ("users score x", "the check users_score_check stands on users.score"),
        ("users words x", "the index by_words stands on users.words"),
        ("users made x", "it has a volatile default"),
        ("users id x", "users.id is in the primary key"),
    ],
)
@pytest.mark.parametrize("recipe", ["extract-table", "move-column"])
def test_what_stands_on_a_column_keeps_it(tables: AlembicProject, recipe: str, arguments: str, words: str) -> None:
    table, column, _ = arguments.split()
    places = [table, "extra", column] if recipe == "extract-table" else [table, column, "profiles", "--name", "other"]

    assert words in tables.ec("new", recipe, *places).stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["users", "bio", "profiles"], "profiles has a column bio already"),
        (["users", "bio", "keyless"], "keyless has no foreign key to users"),
        (["users", "bio", "pairs"], "pairs has several foreign keys to users"),
        (["users", "bio", "posts"], "several rows of posts may refer to one of users"),
        (["users", "bio", "late"], "the foreign key late_user_id_fkey of late is deferrable"),
        (["users", "name", "profiles"], "--default name=EXPRESSION"),
        (["users", "bio", "profiles", "--name", "words", "--default", "''"], "bio needs no --default"),
        (["users", "name", "profiles", "--default", "1 +"], "can't be the default"),
    ],
)
def test_a_column_is_moved_only_where_it_is_known_to_which_row(
    tables: AlembicProject, arguments: list[str], words: str
) -> None:
    refused = tables.ec("new", "move-column", *arguments)

    assert refused.code == 2
    assert words in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["keyless", "other", "a"], "keyless has no primary key"),
        (["users", "profiles", "bio"], "there is something called profiles already"),
        (["users", "other", "bio", "--key", "bio"], "bio is one of the columns that go"),
        (["users", "other", "name"], "name is NOT NULL without a default"),
        (["users", "other", "nobody"], "users has no column nobody"),
    ],
)
def test_a_table_is_extracted_only_where_rows_have_a_key(
    tables: AlembicProject, arguments: list[str], words: str
) -> None:
    refused = tables.ec("new", "extract-table", *arguments)

    assert refused.code == 2
    assert words in refused.stderr


def test_a_backfill_does_not_end_before_each_value_has_a_place(tables: AlembicProject) -> None:
    """A contract would lose what is in a row that has none in the other table."""
    tables.execute(
        "INSERT INTO users (id, name, words) VALUES (1, 'a', 'x'), (2, 'b', 'y'), (3, 'c', NULL)",
        "INSERT INTO profiles (user_id) VALUES (1)",
        "DROP INDEX by_words",
    )
    tables.ok("new", "move-column", "users", "words", "profiles")
    tables.ok("migrate", "expand")

    failed = tables.ec("backfill")
    assert failed.code == 7
    assert "rows still need it" in failed.stderr

    tables.execute("INSERT INTO profiles (user_id) VALUES (2)")
    tables.ok("backfill")
    assert tables.rows("SELECT user_id, words FROM profiles ORDER BY 1") == [(1, "x"), (2, "y")]


def test_names_that_need_quotes_are_served(tables: AlembicProject) -> None:
    tables.execute(
        'CREATE SCHEMA "Some"',
        'CREATE TABLE "Some"."Order" ("Id" bigint PRIMARY KEY, "The Text" text, "json:a" json DEFAULT \'{"a": 1}\')',
        'INSERT INTO "Some"."Order" VALUES (1, \'one\')',
    )
    tables.ok("new", "extract-table", "Some.Order", "Order Text", "The Text", "json:a", "--key", "Order Id")
    tables.ok("migrate", "expand")
    tables.ok("backfill")
    tables.execute(
        'INSERT INTO "Some"."Order" VALUES (2)',
        'INSERT INTO "Some"."Order Text" ("Order Id", "The Text") VALUES (2, \'two\')',
        'UPDATE "Some"."Order Text" SET "json:a" = \'[]\' WHERE "Order Id" = 1',
    )
    wanted = [(1, "one", []), (2, "two", {"a": 1})]
    assert tables.rows('SELECT * FROM "Some"."Order" ORDER BY 1') == wanted
    assert tables.rows('SELECT * FROM "Some"."Order Text_rows" ORDER BY 1') == wanted
