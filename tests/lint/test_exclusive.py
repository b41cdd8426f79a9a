from __future__ import annotations

import pytest

from expandcontract.lint.exclusive import exclusively_locked

DEPLOYED = """
CREATE TABLE public.users (id bigint PRIMARY KEY, name text);
CREATE TABLE sales.orders (id bigint PRIMARY KEY, user_id bigint);
CREATE INDEX users_name ON public.users (name);
"""


@pytest.mark.parametrize(
    ("text", "locked"),
    [
        ("ALTER TABLE users ADD COLUMN notes text", ("users",)),
        (
            "ALTER TABLE users ADD COLUMN a text; ALTER TABLE sales.orders DROP COLUMN user_id",
            ("sales.orders", "users"),
        ),
        ("DROP INDEX users_name", ("users",)),
        ("CREATE INDEX CONCURRENTLY i ON users (name)", ()),
        ("ALTER TABLE users VALIDATE CONSTRAINT c", ()),
        ("CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f()", ()),
        ("UPDATE users SET name = name", ()),
    ],
)
def test_what_is_kept_even_from_readers(text: str, locked: tuple[str, ...]) -> None:
    assert exclusively_locked(text, DEPLOYED, 16) == locked
