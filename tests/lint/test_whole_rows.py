from __future__ import annotations

import pytest

from expandcontract.domain.footprint import Touched
from expandcontract.lint.whole_rows import gives_whole_rows_of, tables_widened

USERS = Touched("users", schema="public")


@pytest.mark.parametrize(
    ("statement", "gives"),
    [
        ("SELECT * FROM users WHERE id = $1", True),
        ("SELECT u.*, o.id FROM orders o JOIN users u ON u.id = o.user_id", True),
        ("SELECT * FROM orders o JOIN public.users u ON u.id = o.user_id", True),
        ("INSERT INTO users (name) VALUES ($1) RETURNING *", True),
        ("UPDATE users SET name = $1 WHERE id = $2 RETURNING users.*", True),
        ("DELETE FROM users WHERE id = $1 RETURNING *", True),
        ("SELECT * FROM users UNION ALL SELECT * FROM former_users", True),
        ("SELECT id, name FROM users", False),
        ("SELECT count(*) FROM users", False),
        ("SELECT o.* FROM orders o JOIN users u ON u.id = o.user_id", False),
        ("SELECT * FROM orders WHERE user_id IN (SELECT id FROM users)", False),
        ("SELECT id FROM orders WHERE EXISTS (SELECT * FROM users)", False),
        ("SELECT * FROM (SELECT id FROM users) AS some", False),
        ("SELECT * FROM archive.users", False),
        ("SELECT * FROM users_of_old", False),
        ("UPDATE users SET name = $1", False),
        ("this isn't SQL, users", False),
    ],
)
def test_only_a_star_in_the_result_changes_with_the_table(statement: str, gives: bool) -> None:
    assert gives_whole_rows_of(statement, USERS) is gives


def test_the_tables_that_get_a_column() -> None:
    text = """
    ALTER TABLE users ADD COLUMN a text, ADD COLUMN b text;
    ALTER TABLE sales."Orders" ADD COLUMN c text;
    ALTER TABLE others DROP COLUMN d;
    """
    assert tables_widened(text) == (Touched("Orders", schema="sales"), Touched("users"))
