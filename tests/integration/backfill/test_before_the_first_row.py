"""What is found out, refused or said before a backfill writes its first row."""

from __future__ import annotations

from typing import Any

import pytest

from expandcontract.backfill.ending import Outcome
from expandcontract.backfill.round_trip import losses
from expandcontract.backfill.side_effects import side_effects
from expandcontract.backfill.verification import rows_left_in
from expandcontract.domain.change import Backfill, Sync
from expandcontract.errors import UsageError
from tests.fixtures.filling import Filling


@pytest.fixture(params=["id int PRIMARY KEY", "id int"], ids=["key", "ctid"])
def things(filling: Filling, request: pytest.FixtureRequest) -> Filling:
    """A table to fill whose first rows are no numbers."""
    filling.execute(
        f"CREATE TABLE things ({request.param}, raw text, number int)",
        "INSERT INTO things SELECT i, CASE WHEN i > 50 THEN i::text ELSE 'bad' END FROM generate_series(1, 1000) i",
    )
    return filling


def filler(**kind: Any) -> Backfill:
    return Backfill("things", **{"where": "number IS NULL", "writers": "0001", **kind})


@pytest.mark.parametrize(
    ("backfill", "words"),
    [
        (filler(set={"number": "no_such_function(raw)"}), "function no_such_function(text) does not exist"),
        (filler(set={"number": "raw"}), 'column "number" is of type integer but expression is of type text'),
        (filler(set={"nomber": "1"}), 'column "nomber" of relation "things" does not exist'),
        (filler(set={"number": "1"}, where="nomber IS NULL"), 'column "nomber" does not exist'),
        (filler(set={"number": "1 / 0"}), "none of the first rows can be filled: division by zero"),
        (filler(set={"number": "id"}, where="id > 0"), "what it sets doesn't make its condition false"),
        (filler(sql="UPDATE thongs SET number = 1 WHERE :range"), 'relation "thongs" does not exist'),
        (filler(sql="UPDATE things SET number = 1 WHERE :range AND"), "syntax error"),
        (filler(transform=lambda rows: [], fills=("number",)), "transform got 100 rows and returned 0 results"),
        (filler(transform=lambda rows: [{"number": 1 / 0} for _ in rows], fills=("number",)), "ZeroDivisionError"),
        (filler(transform=lambda rows: [{"number": "x"} for _ in rows], fills=("number",)), 'type integer: "x"'),
        (filler(transform=lambda rows: [{"nomber": 1} for _ in rows], fills=("nomber",)), "nomber"),
        (filler(transform=list, fills=("number",), reads=("row",)), "row"),
    ],
)
def test_what_cannot_work_is_refused_with_no_row_written(things: Filling, backfill: Backfill, words: str) -> None:
    with pytest.raises(UsageError, match="the backfill of things can't work, so it doesn't begin") as refused:
        things.run(backfill)

    assert words in str(refused.value.because)
    assert things.rows("SELECT FROM ec.backfill") == []
    assert things.value("SELECT count(number) FROM things") == 0


def test_rows_that_cannot_be_filled_among_the_first_are_no_reason_to_refuse(things: Filling) -> None:
    ended = things.run(filler(set={"number": "raw::int"}))

    assert ended.outcome is Outcome.FAILED
    assert things.position().set_aside == 50
    assert things.value("SELECT count(number) FROM things") == 950


def test_the_trial_writes_nothing_and_waits_for_nobody(things: Filling) -> None:
    things.execute("CREATE TABLE audit (id int)")
    things.execute(
        "CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN INSERT INTO audit VALUES (NEW.id); RETURN NEW; END'",
        "CREATE TRIGGER audit BEFORE UPDATE ON things FOR EACH ROW EXECUTE FUNCTION audit()",
    )
    with things.open("the application") as application:
        application.execute("BEGIN")
        application.execute("SELECT FROM things WHERE id = 60 FOR UPDATE")
        engine = things.engine(filler(set={"number": "id"}, lock_timeout="20ms"))
        assert things.value("SELECT count(*) FROM audit") == 0
        assert things.value("SELECT count(number) FROM things") == 0
        application.execute("COMMIT")
    assert engine.run().outcome is Outcome.COMPLETE
    assert things.value("SELECT count(*) FROM audit") == 1000


def test_a_sync_that_loses_something_is_reported_with_how_much(filling: Filling) -> None:
    filling.execute(
        "CREATE TABLE users (id int PRIMARY KEY, name text, first text, last text)",
        "INSERT INTO users SELECT i, CASE WHEN i % 10 = 0 THEN 'Mary Ann Smith' ELSE 'A B' END"
        " FROM generate_series(1, 500) i",
    )
    forward = {"first": "split_part(name, ' ', 1)", "last": "split_part(users.name, ' ', 2)"}
    lossy = Sync("users", forward=forward, backward={"name": "first || ' ' || last"})
    exact = Sync("users", forward={"first": "name"}, backward={"name": "first"})
    failing = Sync("users", forward={"last": "name || 1 / (id - 7)"}, backward={"name": "last"}, reads=("id",))

    with filling.open("test") as connection:
        (loss,) = losses(connection, Backfill(lossy))
        assert losses(connection, Backfill(exact)) == []
        (unknown,) = losses(connection, Backfill(failing))

    assert loss.startswith("the Sync of users loses something: for 50 of 500 rows looked at, name computed back isn't")
    assert unknown == "whether the Sync of users loses anything can't be told from a sample: division by zero"
    assert filling.value("SELECT count(first) FROM users") == 0


def test_the_table_s_own_triggers_and_costly_indexes_are_told(filling: Filling) -> None:
    filling.execute(
        "CREATE TABLE things (id int PRIMARY KEY, raw text, number int, updated_at timestamptz)",
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at := now(); RETURN NEW; END'",
        "CREATE TRIGGER touch BEFORE UPDATE ON things FOR EACH ROW EXECUTE FUNCTION touch()",
        "CREATE TRIGGER only_raw BEFORE UPDATE OF raw ON things FOR EACH ROW EXECUTE FUNCTION touch()",
        "CREATE TRIGGER off BEFORE UPDATE ON things FOR EACH ROW EXECUTE FUNCTION touch()",
        "ALTER TABLE things DISABLE TRIGGER off",
        "INSERT INTO things SELECT i, i::text FROM generate_series(1, 100) i",
    )
    backfill = filler(set={"number": "raw::int"})

    def said() -> list[str]:
        with filling.open("test") as connection:
            return side_effects(connection, backfill)

    (trigger,) = said()
    assert trigger.startswith("trigger touch fires for each row that is written and calls touch")
    filling.execute("CREATE INDEX one ON things (raw)", "CREATE INDEX two ON things (updated_at)")
    assert "things has 3 indexes, and its pages are filled to the last byte" in said()[1]
    filling.execute("ALTER TABLE things SET (fillfactor = 70)")
    assert len(said()) == 1
    filling.execute("CREATE INDEX odd ON things ((number + 1))")
    assert "index odd is over a column that is written, so every row gets a new entry in all 4 indexes" in said()[1]

    assert filling.run(backfill).outcome is Outcome.COMPLETE
    assert filling.value("SELECT count(updated_at) FROM things") == 100


def test_a_table_that_hides_rows_by_its_policies_is_neither_filled_nor_taken_for_right(filling: Filling) -> None:
    filling.execute(
        "CREATE TABLE things (id int PRIMARY KEY, tenant int, filled int) PARTITION BY RANGE (id)",
        "CREATE TABLE things_low PARTITION OF things FOR VALUES FROM (0) TO (1000)",
        "INSERT INTO things SELECT i, i % 2 FROM generate_series(1, 100) i",
        "CREATE POLICY tenants ON things_low USING (tenant = 1)",
        "ALTER TABLE things_low ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE things_low FORCE ROW LEVEL SECURITY",
    )
    fills = Backfill("things", set={"filled": "1"}, where="filled IS NULL", writers="0001")

    with pytest.raises(UsageError, match="things_low may hide rows from role"):
        filling.run(fills)
    with filling.open("looks") as connection, pytest.raises(UsageError, match="things_low may hide rows"):
        rows_left_in(connection, fills, new_code_wrote=False)
    filling.execute("ALTER TABLE things_low NO FORCE ROW LEVEL SECURITY")  # it doesn't apply to the owner then

    assert filling.run(fills).outcome is Outcome.COMPLETE
    assert filling.rows("SELECT filled, count(*) FROM things GROUP BY 1") == [(1, 100)]
