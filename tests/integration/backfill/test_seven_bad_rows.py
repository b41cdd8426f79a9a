"""
Seven rows that can't be converted, among many: these are set aside and no others, and the contract waits for them.

`EC_TEST_ROWS` says among how many; the benchmark takes a million.
"""

import os
import random

from tests.fixtures.project import CREATE_USERS

ROWS = int(os.environ.get("EC_TEST_ROWS", "20000"))
SEED = int(os.environ.get("EC_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)

ADD_AGE = """
from expandcontract import Backfill

contract_after = "1ms"


def upgrade():
    op.add_column("users", sa.Column("age", sa.Integer))


def downgrade():
    op.drop_column("users", "age")


backfill = Backfill("users", set={"age": "name::integer"}, where="age IS NULL", writers="0002", required=False)


def contract():
    op.drop_column("users", "name")
"""


def test_seven_bad_rows_are_set_aside_and_done_once_they_are_mended(project):
    print(f"EC_TEST_SEED={SEED} EC_TEST_ROWS={ROWS}")
    bad = sorted(random.Random(SEED).sample(range(1, ROWS + 1), 7))
    project.revision("0001", CREATE_USERS, title="create users")
    project.revision("0002", ADD_AGE, after="0001", title="add age")
    project.ok("migrate", "expand")
    project.execute(
        f"INSERT INTO users (name) SELECT i::text FROM generate_series(1, {ROWS}) i",
        f"UPDATE users SET name = 'unknown' WHERE id IN ({', '.join(map(str, bad))})",
    )
    project.ok("colour", "deploy", "green", "2")
    project.ec("colour", "traffic", "green=100")

    assert project.ec("backfill", "--rate", "max").code == 7

    found = project.json("backfill", "failures", "0002", code=1)["failures"]
    assert sorted(int(one["key"]["id"]) for one in found) == bad
    assert {one["sqlstate"] for one in found} == {"22P02"}
    assert project.rows("SELECT id FROM users WHERE age IS NULL ORDER BY id") == [(id_,) for id_ in bad]
    assert project.value("SELECT count(*) FROM users WHERE age = id") == ROWS - 7
    refused = project.json("migrate", "contract", code=3)
    assert "rows-set-aside" in {no["code"] for no in refused["refusals"]}

    project.execute("UPDATE users SET name = id::text WHERE name = 'unknown'")

    project.ok("backfill", "retry", "0002")
    assert project.value("SELECT count(*) FROM users WHERE age IS DISTINCT FROM id") == 0
    project.ok("migrate", "contract")
    assert project.columns("users") == ["age", "id"]
