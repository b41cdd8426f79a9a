"""What a contract's SQL removes."""

from __future__ import annotations

import pytest

from expandcontract.domain.removal import Removed
from expandcontract.lint.removal import removal


@pytest.mark.parametrize(
    ("text", "removed"),
    [
        ("ALTER TABLE users DROP COLUMN name, DROP COLUMN age", [Removed("users", "name"), Removed("users", "age")]),
        ('ALTER TABLE app."Users" DROP "Name"', [Removed("Users", "Name", "app")]),
        ("DROP TABLE app.users, orders", [Removed("users", None, "app"), Removed("orders")]),
        ("DROP VIEW v; DROP MATERIALIZED VIEW m", [Removed("v"), Removed("m")]),
        ("ALTER TABLE users DROP COLUMN name; DROP TABLE users", [Removed("users")]),
        ("ALTER TABLE users RENAME COLUMN name TO b", [Removed("users", "name", is_renamed=True)]),
        ("ALTER TABLE users RENAME TO b", [Removed("users", is_renamed=True)]),
        ("DROP VIEW b; ALTER TABLE users RENAME TO b", [Removed("users", is_renamed=True)]),
        (
            "DROP VIEW x.b; ALTER TABLE y.users RENAME TO b",
            [Removed("b", None, "x"), Removed("users", None, "y", True)],
        ),
        ("ALTER TABLE users RENAME TO b; CREATE VIEW users AS SELECT * FROM b", []),
        ("ALTER TABLE users RENAME TO b; DROP TABLE b", [Removed("users", is_renamed=True), Removed("b")]),
        ("DROP INDEX i; DROP TRIGGER t ON users; DROP FUNCTION f(); ALTER TABLE users ALTER name SET NOT NULL", []),
    ],
)
def test_tables_and_columns_by_their_names(text: str, removed: list[Removed]) -> None:
    found = removal(text)

    assert list(found.removed) == removed
    assert found.unknown is None


@pytest.mark.parametrize(
    "text", ["DROP SCHEMA app", "DROP OWNED BY app", "DO $$BEGIN EXECUTE 'x'; END$$", "DROP TABL x"]
)
def test_what_cannot_be_told_is_said(text: str) -> None:
    assert removal(text).unknown is not None
