from __future__ import annotations

import string
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expandcontract.domain.redaction import MASK, misread, redact, secrets_in, secrets_of, without_values

# a part that nothing else in the texts contains, so that a password like "postgres" doesn't seem to leak
PASSWORDS = st.text(string.ascii_letters + string.digits + "!$*+,;-._~@#?&=/: ", max_size=20).map("Xyzzy{}".format)


@given(PASSWORDS)
def test_a_password_in_a_url_is_masked_wherever_it_stands(password: str) -> None:
    secret = quote(password, safe="")
    for text in (
        f"postgresql://me:{secret}@db:5432/app",
        f"could not connect to 'postgresql+asyncpg://me:{secret}@db/app?ssl=require'",
        f"could not parse postgresql//me:{secret}@db/app",
        f"postgresql://db/app?user=me&password={secret}&sslmode=require",
        f"postgresql://db/app?sslpassword={secret}",
        f"host=db password={secret} user=me",
        f"PASSWORD = {secret}",
    ):
        assert "Xyzzy" not in redact(text), text


@pytest.mark.parametrize("password", ["it's", "back\\slash", "two words", "a@b"])
def test_a_quoted_password_in_a_connection_string_is_masked(password: str) -> None:
    quoted = password.replace("\\", "\\\\").replace("'", "\\'")

    shown = redact(f"host=db password='{quoted}' user=me")

    assert shown == "host=db password=*** user=me"


def test_an_unescaped_at_sign_does_not_let_the_rest_through() -> None:
    assert "w0rd" not in redact("postgresql://me:p@ss/w0rd@db/app")


@pytest.mark.parametrize(
    "text", ["", "no secret here", "see https://example.org/docs", "colour blue: 100 %", "a@b.example"]
)
def test_what_holds_no_secret_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER ROLE app PASSWORD 's3cret'",
        "CREATE ROLE app LOGIN ENCRYPTED PASSWORD 'it''s s3cret'; SELECT 1",
        "ALTER ROLE app WITH PASSWORD $$s3cret$$",
        "CREATE USER MAPPING FOR app SERVER s OPTIONS (user 'app', password 's3cret')",
        "ALTER ROLE app PASSWORD 's3cret that was cut",
    ],
)
def test_a_password_in_a_statement_is_masked(statement: str) -> None:
    shown = redact(f"blocked by pid 17 (role postgres): {statement}")

    assert "s3cret" not in shown
    assert MASK in shown


@given(PASSWORDS)
def test_what_the_environment_gave_is_masked_whole_and_in_pieces(password: str) -> None:
    known = secrets_in({"SHOP_DB": f"postgresql://me:{password}@db/app", "PGPASSWORD": password, "LANG": "C.UTF-8"})

    assert "Xyzzy" not in redact(f"could not translate host name {password!r}", known)
    pieces = [piece for piece in password.replace("@", "/").split("/") if "Xyzzy" in piece]
    assert "Xyzzy" not in redact(f"could not translate host name {pieces[0]}", known)


def test_a_password_that_is_its_users_name_spoils_no_message() -> None:
    known = secrets_in({"DATABASE_URL": "postgresql://postgres:postgres@localhost/shop"})

    assert redact("the role postgres lacks a right", known) == "the role postgres lacks a right"


@pytest.mark.parametrize(
    ("url", "is_misread"),
    [
        ("postgresql://me:pass@db:5432/app", False),
        ("postgresql://me:p%40ss%2Fw@db/app?sslmode=require", False),
        ("postgresql:///app?host=/run/postgresql", False),
        ("postgresql://db/app?user=me&password=p%40", False),
        ("host=db password=p@ss user=me", False),
        ("postgresql://me@[::1]:5432,db2/app", False),
        ("postgresql://me@db:pass/app", True),
        ("postgresql://me:p@ss@db/app", True),
        ("postgresql://me:p/ss@db/app", True),
        ("postgresql://me:p?ss@db/app", True),
    ],
)
def test_a_login_that_would_be_cut_early_is_recognised(url: str, is_misread: bool) -> None:
    assert bool(misread(url)) is is_misread


def test_values_of_rows_stay_out_of_a_traceback() -> None:
    text = (
        "IntegrityError: duplicate key\nDETAIL: Key (email)=(ada@example.org) already exists.\n[parameters: {'a': 1}]\n"
    )

    assert without_values(text) == f"IntegrityError: duplicate key\n[{MASK}]\n[{MASK}]\n"


@dataclass
class Options:
    url: str
    key_env: str | None = None
    number: int = 1


@given(PASSWORDS)
def test_what_somebody_was_asked_with_is_masked_however_it_is_sent_back(password: str) -> None:
    written = quote(password, safe="")
    address = Options(f"https://me:{written}@db/hook?token={written}", key_env="SHOP_KEY")
    secrets = secrets_of(address, {"SHOP_KEY": password})

    for said in (password, repr(password), written, " ".join(password.split()), f"/hook?token={written}"):
        assert "Xyzzy" not in redact(f"who sent {said}", secrets)
    login = b64encode(f"me:{password}".encode()).decode()
    assert login not in redact(f"Basic {login}", secrets)
    assert redact("who sent something to /hook", secrets) == "who sent something to /hook"
