"""Names that would be something else if anybody pasted them into SQL, a shell or a document."""

import pytest

from tests.fixtures.project import CREATE_USERS

NAMES = [
    "with \"quotes\" and 'apostrophes'",
    "Übergrößenträger 日本語",
    "select",
    "MixedCase",
    "100 %s %(name)s %%",
    ":name ::text $1 $ec_sync$ {0} \\",
    'x"; DROP TABLE users; --',
    "n" * 63,
    "ü" * 31,
]


def life(project, table, old, new):
    project.revision(
        "0001",
        f"def upgrade():\n    op.create_table({table!r}, sa.Column('id', sa.Integer, primary_key=True),"
        f" sa.Column({old!r}, sa.Text))\ndef downgrade():\n    op.drop_table({table!r})\n",
        title=f"create {table}",
    )
    quoted_old, quoted_new = ('"' + name.replace('"', '""') + '"' for name in (old, new))
    body = f"""
from expandcontract import Backfill, Sync

contract_after = "1ms"
table, old, new = {table!r}, {old!r}, {new!r}
sync = Sync(table, forward={{new: {quoted_old!r}}}, backward={{old: {quoted_new!r}}})

def upgrade():
    op.add_column(table, sa.Column(new, sa.Text))
    op.create_sync(sync)

def downgrade():
    op.drop_sync(sync)
    op.drop_column(table, new)

backfill = Backfill(sync)

def contract():
    op.drop_sync(sync)
    op.drop_column(table, old)
"""
    project.revision("0002", body, after="0001", title=f"rename {old} to {new}")
    quoted_table = '"' + table.replace('"', '""') + '"'
    project.ok("migrate", "expand", "0001")
    project.execute(
        f"INSERT INTO {quoted_table} (id, {quoted_old}) SELECT i, 'row ' || i FROM generate_series(1, 50) i"
    )
    project.ok("migrate", "expand")
    project.execute(f"INSERT INTO {quoted_table} (id, {quoted_new}) VALUES (51, 'new code')")
    assert project.value(f"SELECT {quoted_old} FROM {quoted_table} WHERE id = 51") == "new code"
    (filled,) = project.json("backfill")["filled"]
    assert (filled["rows"], filled["rows_written"]) == (51, 50)
    project.ok("colour", "deploy", old, new)
    shown = project.json("colour", "traffic", f"{old}=100")["colours"]
    assert [(view["name"], view["release"], view["weight"]) for view in shown] == [(old, new, 100)]
    assert project.ok("status").stdout.startswith(old)
    assert project.json("migrate", "contract")["steps"] == ["contract 0002"]
    assert sorted(project.columns(quoted_table)) == sorted(["id", new])
    assert project.value(f"SELECT count(*) FROM {quoted_table} WHERE {quoted_new} IS NULL") == 0
    assert project.ok("log").stdout.count("contract done") == 1


@pytest.mark.parametrize("number", range(0, len(NAMES), 3))
def test_a_change_of_hostile_names_lives_its_whole_life(project, number):
    life(project, *NAMES[number : number + 3])


def test_a_name_that_the_server_would_cut_short_changes_nothing(project):
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    long = "ü" * 32  # 64 bytes
    body = f"""
    from expandcontract import Backfill, Sync

    sync = Sync("users", forward={{{long!r}: "name"}}, backward={{"name": '"{long}"'}})

    def upgrade():
        op.add_column("users", sa.Column({long!r}, sa.Text))
        op.create_sync(sync)

    def downgrade(): pass
    """
    project.revision("0002", body, after="0001")
    before = project.snapshot()

    ran = project.ec("migrate", "expand")

    assert ran.code in (2, 7), ran
    after = project.snapshot()
    assert {kind: after[kind] for kind in ("columns", "triggers", "functions")} == {
        kind: before[kind] for kind in ("columns", "triggers", "functions")
    }


def test_a_colour_and_a_release_may_be_called_anything_that_can_be_typed(project):
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    for name in ("a=b", "-h", "--json", "null", NAMES[4]):
        project.ok("colour", "deploy", "--", name, f"release {name}")
        moved = project.ok("colour", "traffic", "--json", "--", f"{name}=100")
        (live,) = [view for view in moved.json["colours"] if view["is_live"]]
        assert (live["name"], live["release"]) == (name, f"release {name}")
        assert project.ok("colour", "check", "--", name).stdout.startswith(name)
