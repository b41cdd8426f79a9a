from __future__ import annotations

import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expandcontract.cli.redaction import redact

# a part that nothing else in the texts contains, so that a password like "postgres" doesn't seem to leak
PASSWORDS = st.text(string.ascii_letters + string.digits + "!$*+,;-._~@#?&=/: ", max_size=20).map("Xyzzy{}".format)


@given(PASSWORDS)
def test_a_password_in_a_url_is_masked_wherever_it_stands(password: str) -> None:
    secret = quote(password, safe="")
    for text in (
        f"postgresql://me:{secret}@db:5432/app",
        f"could not connect to 'postgresql+asyncpg://me:{secret}@db/app?ssl=require'",
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
