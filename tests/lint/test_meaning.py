from __future__ import annotations

import pytest

from expandcontract.lint.meaning import meaning

BODY = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.a := 1; RETURN NEW; END $$"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT 1", "select\n  1 -- one\n;"),
        ("ALTER TABLE users ADD COLUMN x int", "alter table USERS /* wide */ add x integer;"),
        ("SELECT 'a'; SELECT 'b'", "SELECT 'a';\n\n-- and\nSELECT 'b';"),
        (BODY, BODY.replace(" BEGIN ", "\n  begin -- it begins\n ").replace("NEW.a", "new.A").replace("$$", "$f$")),
        ("DO $$ BEGIN PERFORM 1; END $$", "DO $x$\nBEGIN\n  perform 1; /* that is all */\nEND\n$x$"),
        ("THIS is no SQL", "THIS   is  no SQL"),
    ],
)
def test_comments_and_layout_have_no_meaning(one: str, other: str) -> None:
    assert meaning(one) == meaning(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT 1", "SELECT 2"),
        ("SELECT 'a'", "SELECT 'A'"),
        ("SELECT 'a  b'", "SELECT 'a b'"),
        ('DROP TABLE "Users"', "DROP TABLE Users"),
        ("DROP TABLE users", "DROP TABLE users CASCADE"),
        ("SELECT 1; SELECT 2", "SELECT 2; SELECT 1"),
        (BODY, BODY.replace("1", "2")),
        (BODY, BODY.replace("NEW.a", 'NEW."A"')),
        ("DO $$ BEGIN PERFORM 'a'; END $$", "DO $$ BEGIN PERFORM 'A'; END $$"),
    ],
)
def test_whatever_the_server_would_tell_apart_has(one: str, other: str) -> None:
    assert meaning(one) != meaning(other)
