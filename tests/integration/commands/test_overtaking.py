"""Two features developed side by side, their contracts waiting, and what may be run before those."""

from __future__ import annotations

import re

from tests.fixtures.project import CREATE_USERS, rename_name

ADD_ORDERS = """
from expandcontract import Sync

contract_after = "3d"
sync = Sync("orders", forward={"total": "price"}, backward={"price": "total"})


def upgrade():
    op.add_column("orders", sa.Column("total", sa.Integer))
    op.create_sync(sync)
    op.execute("CREATE INDEX orders_by_total ON orders (total)")


def downgrade():
    op.drop_sync(sync)
    op.drop_column("orders", "total")


def contract():
    op.drop_sync(sync)
    op.execute("ALTER TABLE orders DROP COLUMN price")
"""

CREATE_ALL = CREATE_USERS.replace(
    "def downgrade():",
    """    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id")),
        sa.Column("price", sa.Integer),
    )
    op.execute("CREATE VIEW names AS SELECT id, name FROM users")


def downgrade():
    op.execute("DROP VIEW names")
    op.drop_table("orders")""",
)


def raw(*statements: str) -> str:
    lines = "\n".join(f"    op.execute({statement!r})" for statement in statements)
    return f"def upgrade():\n{lines}\n\n\ndef downgrade():\n    pass\n"


def test_two_features_side_by_side_and_a_third_that_is_in_the_way(project):
    project.revision("0001", CREATE_ALL, title="create users and orders")
    project.ok("migrate", "expand")
    project.ok("colour", "deploy", "blue", "1")
    project.ok("colour", "traffic", "blue=100")
    # one developer renames a column of users, the other one of orders; both start from 0001
    project.revision("000a", rename_name(simply=True), after="0001", title="rename users.name")
    project.ok("migrate", "expand")
    project.ok("backfill")
    project.revision("000b", ADD_ORDERS, after="0001", title="rename orders.price")
    (merge,) = project.json("revision", "--merge", "-m", "both features")["files"]
    joined = merge["revision"]

    overtaking = project.json("migrate", "expand")["steps"]  # past the waiting contract of 000a
    assert overtaking == ["expand 000b", f"expand {joined}"]

    project.ok("colour", "deploy", "green", "2")
    project.ok("colour", "traffic", "green=100")
    third = raw("UPDATE users SET name = trim(name)")
    project.revision("000c", third, after=joined, title="trim names")
    refused = project.json("migrate", "expand", code=3)

    (no,) = refused["refusals"]
    assert (no["step"], no["code"]) == ("expand 000c", "footprint")
    assert "contract 000a (rename users.name) still waits, and both touch users.name" in no["because"]
    assert re.search(r"its window closes at 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", no["because"])
    assert no["until"] is not None
    assert no["next"] == "ec migrate contract 000a, then ec migrate expand"


def test_what_the_database_holds_counts_though_no_revision_made_it(project):
    project.revision("0001", CREATE_ALL, title="create users and orders")
    project.revision("000a", rename_name(simply=True), after="0001", title="rename users.name")
    project.ok("migrate", "expand")
    project.execute(
        "CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql AS 'SELECT upper(name) FROM public.users LIMIT 1'",
        "CREATE VIEW loud AS SELECT * FROM names",
        "CREATE INDEX by_hand ON users (name)",
    )
    in_the_way = [
        ["DROP INDEX by_hand"],
        ["CREATE VIEW louder AS SELECT * FROM loud"],
        ["UPDATE orders SET price = 1 WHERE shout('x') = 'X'"],
        ["DO $$ BEGIN IF EXISTS (SELECT FROM names) THEN UPDATE orders SET price = 1; END IF; END $$"],
    ]
    for statements in in_the_way:
        project.revision("000b", raw(*statements), after="000a")
        refused = project.json("migrate", "expand", "--dry-run", code=3)
        assert "both touch users" in refused["refusals"][0]["because"], statements

    free = raw("CREATE INDEX orders_by_price ON orders (price)", "UPDATE orders SET price = abs(price)")
    project.revision("000b", free, after="000a")
    assert project.json("migrate", "expand")["steps"] == ["expand 000b"]
