"""What a revision file says of its backfill: the kind and the settings, through the command line."""

from __future__ import annotations

import pytest

from tests.fixtures.project import AlembicProject

ROWS = 2000

CREATE = """
def upgrade():
    op.execute("CREATE TABLE things (id int PRIMARY KEY, raw text)")
    op.execute("CREATE TABLE lengths (thing int PRIMARY KEY, length int)")


def downgrade():
    op.drop_table("things")
    op.drop_table("lengths")
"""

EXPAND = """
from expandcontract import Backfill, Sync

sync = Sync("things", forward={"number": "raw::int"}, backward={"raw": "number::text"})


def upgrade():
    op.add_column("things", sa.Column("number", sa.Integer))
    op.create_sync(sync)


def downgrade():
    op.drop_sync(sync)
    op.drop_column("things", "number")

"""


@pytest.fixture
def things(project: AlembicProject) -> AlembicProject:
    """2,000 rows."""
    project.revision("0001", CREATE, title="create things")
    project.ok("migrate", "expand")
    project.execute(f"INSERT INTO things SELECT i, '0' || i FROM generate_series(1, {ROWS}) i")
    return project


def test_flag_then_environment_then_revision_then_configuration_say_the_rate(things: AlembicProject) -> None:
    declared = EXPAND + "backfill = Backfill(sync, rate=30000, batch=100, lock_timeout='1s', statement_timeout='2m')\n"
    things.revision("0002", declared, after="0001", title="numbers")
    things.ok("migrate", "expand")
    things.write("pyproject.toml", "[tool.expandcontract]\nrate = 20000\n")

    def rate(*flags: str, **variables: str) -> int:
        (warning,) = things.json("backfill", "--max-rows", "10", *flags, code=5, variables=variables)["warnings"]
        assert "the Sync of things loses something: for 1000 of 1000 rows looked at, raw computed back" in warning
        assert things.json("backfill", "--max-rows", "10", code=5)["warnings"] == []  # where it goes on
        found = int(things.value("SELECT rate FROM ec.backfill"))
        things.ok("backfill", "cancel", "0002")
        return found

    assert rate() == 30000
    assert rate(EC_RATE="40000") == 40000
    assert rate("--rate", "50000", EC_RATE="40000") == 50000

    done = things.json("backfill", "--rate", "max")

    assert done["filled"][0]["rows_written"] == ROWS - 20  # of the six runs, four only looked at what was done
    assert things.value("SELECT max(rows_seen) FROM ec.backfill_range WHERE pass = 1") == 100
    (view,) = things.json("backfill", "status")["backfills"]
    assert view["growth"]["heap"] >= view["growth"]["heap_before"] > 0
    assert "growth:  heap +" in things.ok("backfill", "status").stdout
    verified = things.json("backfill", "verify", "0002")
    assert (verified["rows_left"], verified["rows_seen"], verified["rows_found"]) == (False, ROWS, 0)


def test_every_kind_runs_from_a_revision_file(things: AlembicProject) -> None:
    things.ok("colour", "deploy", "green", "2")
    things.ok("colour", "traffic", "green=100")
    plain = "\n\ndef upgrade(): pass\n\n\ndef downgrade(): pass\n"
    kinds = {
        "0002": "backfill = Backfill('lengths', sql='DELETE FROM lengths WHERE :range', where='true', writers='0001')",
        "0003": "backfill = Backfill('things', sql='INSERT INTO lengths SELECT things.id, length(raw) FROM things"
        " WHERE :range ON CONFLICT DO NOTHING', where='NOT EXISTS (SELECT FROM lengths WHERE thing = things.id)',"
        " writers='0001')",
        "0004": "def shout(rows):\n    return [{'raw': row['raw'] + '!'} for row in rows]\n\n\n"
        "backfill = Backfill('things', transform=shout, reads=('raw',), fills=('raw',), where=\"raw NOT LIKE '%!'\","
        " writers='0001')",
    }
    things.execute("INSERT INTO lengths SELECT generate_series(1, 100)")
    for number, body in kinds.items():
        after = f"{int(number) - 1:04}"
        things.revision(number, "from expandcontract import Backfill\n" + plain + body + "\n", after=after)
    things.ok("migrate", "expand")

    done = things.json("backfill", "--rate", "max")

    assert [one["rows_written"] for one in done["filled"]] == [100, ROWS, ROWS]
    assert things.value("SELECT count(*) FROM lengths WHERE length > 1") == ROWS
    assert things.value("SELECT count(*) FROM things WHERE raw LIKE '0%!'") == ROWS
    assert things.json("backfill")["outcome"] == "nothing"


def test_what_cannot_work_exits_2_and_nothing_has_begun(things: AlembicProject) -> None:
    wrong = EXPAND + "backfill = Backfill('things', set={'number': 'raw'}, where='number IS NULL')\n"
    things.revision("0002", wrong, after="0001", title="numbers")
    things.ok("migrate", "expand")

    refused = things.json("backfill", code=2)

    assert refused["error"]["message"] == "the backfill of things can't work, so it doesn't begin"
    assert "is of type integer but expression is of type text" in refused["error"]["because"]
    assert "backfill 0002" not in {name for name, state in things.steps().items() if state != "pending"}
    things.revision("0002", wrong.replace("'raw'", "'raw::int'"), after="0001", title="numbers")
    assert things.json("backfill")["filled"][0]["rows_written"] == ROWS
