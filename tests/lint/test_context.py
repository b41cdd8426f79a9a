"""What the linter takes into account besides the statement: earlier SQL, the transaction, the runner, settings."""

from __future__ import annotations

import pytest

from expandcontract.errors import ConfigurationError
from expandcontract.lint import Hazard, Schema, Severity, lint_sql
from expandcontract.lint.catalogue import all_rules
from expandcontract.lint.scene import Guarantees
from expandcontract.lint.settings import read_settings

USERS = "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(40), age integer);"


def rules(sql: str, **assumed: object) -> set[str]:
    """Give the names of the hard rules and of the analysis that speak about the text."""
    findings = lint_sql(sql, guarantees=Guarantees(True, True), **assumed)  # type: ignore[arg-type]
    return {each.rule for each in findings if all_rules()[each.rule].hazard is not Hazard.ADVICE}


@pytest.mark.parametrize(
    ("before", "sql"),
    [
        (
            "",
            "CREATE TABLE a (id bigint PRIMARY KEY); ALTER TABLE a ADD COLUMN b uuid DEFAULT gen_random_uuid()",
        ),
        ("", "CREATE TABLE a (id bigint PRIMARY KEY); ALTER TABLE a RENAME TO b; CREATE INDEX ON b (id)"),
        ("", "CREATE TABLE a (id bigint PRIMARY KEY, b int); DROP TABLE a"),
        ("", "CREATE TEMP TABLE a (id bigint); TRUNCATE a; CREATE INDEX ON a (id)"),
        (USERS, "ALTER TABLE users ADD COLUMN a int; ALTER TABLE users DROP COLUMN a"),
        (USERS, "CREATE VIEW v AS SELECT 1; DROP VIEW v"),
        (USERS, "CREATE TYPE mood AS ENUM ('a'); DROP TYPE mood"),
        (USERS, "ALTER TABLE users RENAME TO people; CREATE VIEW users AS SELECT * FROM people"),
    ],
)
def test_what_the_text_made_itself_is_nobodys_yet(before: str, sql: str) -> None:
    assert rules(sql, schema=before) == set()


def test_a_rolled_back_table_is_not_new() -> None:
    sql = "BEGIN; CREATE TABLE a (id bigint); ROLLBACK; CREATE INDEX i ON a (id)"

    assert "index-not-concurrent" in rules(sql, in_transaction=False)


def test_if_not_exists_proves_nothing_about_a_table_that_exists() -> None:
    sql = "CREATE TABLE IF NOT EXISTS users (id bigint); CREATE INDEX i ON users (id)"

    assert rules(sql, schema=USERS) == {"index-not-concurrent"}
    assert rules(sql) == set()


def test_a_given_schema_is_not_changed() -> None:
    schema = Schema.from_sql(USERS)

    assert rules("DROP TABLE users", schema=schema) == rules("DROP TABLE users", schema=schema) == {"drop-table"}


@pytest.mark.parametrize("quoting", ["users", "public.users", '"users"', "USERS", 'public."users"'])
def test_a_name_is_the_same_however_it_is_written(quoting: str) -> None:
    assert rules(f"ALTER TABLE {quoting} ALTER COLUMN name TYPE varchar(80)", schema=USERS) == set()


def test_foreign_keys_follow_a_renamed_table() -> None:
    before = USERS + "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));"

    assert "drop-table-locks-referenced" in rules(
        "DROP TABLE orders", schema=before + "ALTER TABLE users RENAME TO people;"
    )
    assert "drop-table-locks-referenced" in rules(
        "DROP TABLE carts", schema=before + "ALTER TABLE orders RENAME TO carts;"
    )


def test_of_a_table_that_the_transaction_drops_only_the_drop_is_told() -> None:
    before = USERS + "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));"
    before += "CREATE INDEX orders_user ON orders (user_id); CREATE INDEX users_name ON users (name);"
    # as autogenerate writes the downgrade of a first revision
    sql = "DROP INDEX orders_user; DROP TABLE orders; DROP INDEX users_name; DROP TABLE users;"
    of_parts = {"drop-index-not-concurrent", "drop-table-locks-referenced"}

    assert "drop-table" in rules(sql, schema=before)
    assert "drop-index" not in {finding.rule for finding in lint_sql(sql, schema=before)}
    assert not of_parts & rules(sql, schema=before)
    assert of_parts <= rules(sql, schema=before, in_transaction=False)
    assert of_parts <= rules(sql.removesuffix("DROP TABLE users;"), schema=before)


def test_another_schema_has_another_table() -> None:
    sql = "ALTER TABLE app.users ALTER COLUMN name TYPE varchar(80)"

    assert rules(sql, schema=USERS) == {"change-type-rewrite"}


def test_the_finding_says_that_the_old_type_is_not_known() -> None:
    (finding,) = [each for each in lint_sql("ALTER TABLE a ALTER b TYPE text") if each.rule == "change-type-rewrite"]

    assert "not in the history" in finding.message


@pytest.mark.parametrize(
    ("zone", "version", "expected"),
    [("UTC", 12, set()), ("UTC", 11, {"change-type-rewrite"}), (None, 16, {"change-type-rewrite"})],
)
def test_the_time_zone_decides_about_timestamps(zone: str | None, version: int, expected: set[str]) -> None:
    sql = "ALTER TABLE t ALTER COLUMN at TYPE timestamptz"

    assert rules(sql, schema="CREATE TABLE t (at timestamp)", time_zone=zone, server_version=version) == expected


def test_the_safe_way_to_not_null_is_safe() -> None:
    sql = (
        "ALTER TABLE users ADD CONSTRAINT given CHECK (age IS NOT NULL) NOT VALID;"
        "ALTER TABLE users VALIDATE CONSTRAINT given;"
        "ALTER TABLE users ALTER COLUMN age SET NOT NULL;"
        "ALTER TABLE users DROP CONSTRAINT given"
    )

    assert rules(sql, schema=USERS, in_transaction=False) == set()


def test_a_reason_for_every_class_can_be_configured() -> None:
    settings = read_settings(
        {
            "server_version": "14.2",
            "severity": {"drop-table": "note", "A": "off"},
            "paths": {"old/*": {"drop-table": "off"}},
        }
    )
    sql = "DROP TABLE a"

    here = [
        each for each in lint_sql(sql, severities=settings.severities, path="new/a.sql") if each.rule == "drop-table"
    ]
    assert [each.severity for each in here] == [Severity.NOTE]
    assert "drop-table" not in {each.rule for each in lint_sql(sql, severities=settings.severities, path="old/a.sql")}
    assert not [
        each
        for each in lint_sql("CREATE TABLE a (b int)", severities=settings.severities)
        if all_rules()[each.rule].hazard is Hazard.ADVICE
    ]


def test_configuration_mistakes_are_reported_all_together() -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_settings(
            {
                "sever_version": 1,
                "server_version": "9.6",
                "severity": {"drop-tabel": "off", "truncate": "fatal"},
            }
        )

    for part in ("sever_version", "9.6", "drop-tabel", "fatal"):
        assert part in str(refused.value)


def test_corruption_is_a_matter_of_the_minor_version() -> None:
    sql = "CREATE INDEX CONCURRENTLY i ON users (name)"

    for version, expected in (("14.3", {"index-corruption-pg14"}), ("14.4", set()), (14, set())):
        assert rules(sql, schema=USERS, in_transaction=False, server_version=version) == expected
