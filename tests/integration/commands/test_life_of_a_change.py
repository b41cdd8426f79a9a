"""A change from its first step to its last, through the command line alone."""

import re
from datetime import datetime, timedelta

from tests.fixtures.project import ADD_NOTES, CREATE_USERS, rename_name

REFUSAL_TEXT = re.compile(r"refused: .+\nbecause: .+\nnext:    .+\n")


def people(project, count):
    project.execute(f"INSERT INTO users (name) SELECT 'person ' || i FROM generate_series(1, {count}) i")


def start_with_blue(project):
    """Release 1 ships only 0001, runs on blue and has all the traffic; users has 300 rows."""
    project.revision("0001", CREATE_USERS, title="create users")
    project.ok("init")
    project.ok("migrate", "expand")
    people(project, 300)
    project.ok("colour", "deploy", "blue", "1")
    project.ok("colour", "traffic", "blue=100")


def test_a_change_goes_from_expand_to_contract(project):
    start_with_blue(project)
    project.revision("0002", rename_name(), after="0001", title="rename users.name to display_name")

    # before the expand nothing else may run
    planned = {step["step"]: step for step in project.json("plan")["steps"]}
    assert list(planned) == ["expand 0002", "backfill 0002", "contract 0002"]
    assert planned["expand 0002"]["refusals"] == []
    assert planned["contract 0002"]["parts"] == ["validate", "remove_name"]
    refused = project.json("migrate", "contract", "0002", code=3)
    assert {no["code"] for no in refused["refusals"]} >= {"not-expanded", "not-backfilled", "live-lacks"}
    refused = project.json("backfill", "0002", code=3)
    assert [no["code"] for no in refused["refusals"]] == ["not-expanded"]

    # expand: old code doesn't notice
    assert project.json("migrate", "expand")["steps"] == ["expand 0002"]
    assert project.json("migrate", "expand")["outcome"] == "nothing"
    project.execute("INSERT INTO users (name) VALUES ('written by old code')")
    assert project.value("SELECT display_name FROM users WHERE name = 'written by old code'") == "written by old code"

    # release 2 may not have traffic before the backfill is complete
    project.ok("colour", "deploy", "green", "2")
    refused = project.json("colour", "check", "green", code=3)
    assert [(no["step"], no["code"]) for no in refused["refusals"]] == [("backfill 0002", "not-backfilled")]
    assert project.json("status", "--check", code=1)["outcome"] == "findings"
    filled = project.json("backfill")["filled"]
    (told,) = filled
    assert (told["step"], told["rows"], told["rows_written"], told["passes"]) == ("backfill 0002", 301, 300, 1)
    assert project.json("backfill")["outcome"] == "nothing"
    assert project.value("SELECT count(*) FROM users WHERE display_name IS DISTINCT FROM name") == 0
    assert project.json("colour", "check", "green")["outcome"] == "done"

    # a canary: blue still has traffic and lacks the change
    project.ok("colour", "traffic", "blue=90", "green=10")
    refused = project.ec("migrate", "contract", "0002")
    assert refused.code == 3
    assert refused.stdout.strip() == ""
    assert "blue has 90 % of the traffic and runs release 1, which lacks 0002" in refused.stderr

    # cut over: the window is open
    shown = project.json("colour", "traffic", "green=100")["colours"]
    assert [(view["name"], view["weight"], view["is_live"]) for view in shown] == [
        ("blue", 0, False),
        ("green", 100, True),
    ]
    project.execute("UPDATE users SET display_name = 'written by new code' WHERE id = 1")
    refused = project.ec("migrate", "contract", "0002")
    assert refused.code == 4
    assert refused.stderr.startswith(
        "refused: contract 0002 (rename users.name to display_name)\nbecause: blue runs release 1"
    )
    assert "the window is 14d" in refused.stderr
    assert REFUSAL_TEXT.search(refused.stderr)
    (no,) = project.json("migrate", "contract", "0002", code=4)["refusals"]
    assert no["code"] == "window-open"
    lost_traffic = datetime.fromisoformat(shown[0]["last_traffic"])
    assert datetime.fromisoformat(no["until"]) == lost_traffic + timedelta(days=14)
    assert project.json("status", "--check")["outcome"] == "done"  # nothing to do but wait

    # back: blue finds what green wrote, and its traffic reopens the window
    assert project.json("colour", "check", "blue")["outcome"] == "done"
    assert project.value("SELECT name FROM users WHERE id = 1") == "written by new code"
    project.ok("colour", "traffic", "blue=100")
    assert project.ec("migrate", "contract", "0002").code == 3
    project.ok("colour", "traffic", "green=100")
    (again,) = project.json("migrate", "contract", "0002", code=4)["refusals"]
    assert again["until"] > no["until"]
    assert {"name", "display_name"} <= set(project.columns("users"))

    # the window closes
    project.revision("0002", rename_name("1ms"), after="0001", title="rename users.name to display_name")
    assert project.json("migrate", "contract", "0002")["steps"] == ["contract 0002"]
    assert project.columns("users") == ["display_name", "id"]
    assert project.json("migrate", "contract")["outcome"] == "nothing"
    assert project.json("plan")["outcome"] == "nothing"
    assert project.steps() == {
        "expand 0001": "done",
        "expand 0002": "done",
        "backfill 0002": "done",
        "contract 0002": "done",
    }

    # and there is no way back
    refused = project.json("colour", "check", "blue", code=3)
    assert [no["code"] for no in refused["refusals"]] == ["contracted"]
    refused = project.json("colour", "traffic", "blue=100", code=3)
    assert [view["weight"] for view in refused["colours"]] == [100, 0]  # the truth is recorded all the same
    project.ok("colour", "traffic", "green=100")
    project.ok("colour", "retire", "blue")
    assert project.json("colour", "retire", "blue")["outcome"] == "nothing"
    assert project.ec("colour", "retire", "bleu").code == 2
    assert [view["name"] for view in project.json("colour", "show")["colours"]] == ["green"]
    refused = project.json("undo", "0002", "--give-up", "2", code=3)
    assert {no["code"] for no in refused["refusals"]} == {"contracted", "live-ships"}
    assert project.ec("colour", "check", "blue").code == 2

    # all of it is in the log
    events = project.json("log", "--most", "1000")["events"]
    kinds = [event["kind"] for event in events]
    assert [kind for kind in kinds if kind.startswith(("expand", "backfill"))] == [
        "expand done",
        "expand done",
        "backfill started",
        "backfill done",
    ]
    assert kinds.count("traffic") == 7
    assert kinds.count("deploy") == 2
    assert kinds.count("retire") == 1
    assert kinds[-2:] != kinds[:2]
    assert {event["person"] for event in events} == {"ada"}
    assert [event["kind"] for event in project.json("log", "0002", "--most", "1")["events"]] == ["contract done"]
    assert "contract done" in project.ok("log").stdout


def test_an_expand_is_undone_while_nobody_needs_it(project):
    start_with_blue(project)
    before = project.columns("users")
    project.revision("0002", rename_name(), after="0001", title="rename")

    refused = project.json("undo", "0002", code=3)
    assert [no["code"] for no in refused["refusals"]] == ["not-expanded"]
    project.ok("migrate", "expand")
    project.ok("backfill")
    foreseen = project.json("undo", "0002", "--dry-run")
    assert (foreseen["steps"], foreseen["dry_run"]) == (["expand 0002"], True)
    assert project.json("undo", "0002")["steps"] == ["expand 0002"]
    assert project.columns("users") == before
    assert project.steps() == {"expand 0001": "done"}
    assert project.value("SELECT version_num FROM alembic_version") == "0001"

    # whoever was interrupted asks again
    for options in ((), ("--dry-run",)):
        again = project.json("undo", "0002", *options)
        assert (again["outcome"], again["steps"]) == ("nothing", [])
    assert project.ok("undo", "0002").stdout == "nothing to undo: it was undone before\n"

    # again, and this time it has had traffic: the way back to it is given up by name or not at all
    project.ok("migrate", "expand")
    project.ok("backfill")
    project.ok("colour", "deploy", "green", "2")
    project.ok("colour", "traffic", "blue=50", "green=50")
    refused = project.json("undo", "0002", "--give-up", "2", code=3)
    assert [no["code"] for no in refused["refusals"]] == ["live-ships"]
    project.ok("colour", "traffic", "blue=100")
    refused = project.ec("undo", "0002")
    assert refused.code == 3
    assert "next:    ec undo 0002 --give-up 2\n" in refused.stderr
    done = project.json("undo", "0002", "--give-up", "2", "--reason", "green was slow")
    assert done["gives_up"] == ["2"]
    assert project.columns("users") == before
    (event,) = project.json("log", "0002", "--most", "1")["events"]
    assert event["kind"] == "expand undone"
    assert event["facts"] == {"gives_up": ["2"], "reason": "green was slow"}
    refused = project.json("colour", "check", "green", code=3)
    assert "not-expanded" in {no["code"] for no in refused["refusals"]}
    assert project.value("SELECT count(*) FROM users WHERE name IS NULL") == 0


def test_what_stands_on_a_change_must_be_undone_first(project):
    start_with_blue(project)
    project.revision("0002", "def upgrade(): pass\ndef downgrade(): pass\n", after="0001")
    project.revision("0003", "def upgrade(): pass\ndef downgrade(): pass\n", after="0002")
    assert project.json("migrate", "expand", "0002")["steps"] == ["expand 0002"]
    assert project.json("migrate", "expand")["steps"] == ["expand 0003"]

    refused = project.json("undo", "0002", code=3)

    assert [(no["code"], no["next"]) for no in refused["refusals"]] == [("later-applied", "ec undo 0003")]
    project.ok("undo", "0003")
    project.ok("undo", "0002")
    assert project.value("SELECT version_num FROM alembic_version") == "0001"


def test_a_later_expand_overtakes_a_waiting_contract_only_where_they_do_not_meet(project):
    start_with_blue(project)
    project.revision("0002", rename_name(simply=True), after="0001", title="rename")
    project.ok("migrate", "expand")
    project.revision("0003", ADD_NOTES, after="0002", title="add notes")
    meets = 'def upgrade():\n    op.alter_column("users", "name", type_=sa.String(50))\n'
    project.revision("0004", meets + "def downgrade(): pass\n", after="0003", title="shorten name")

    refused = project.json("migrate", "expand", code=3)

    assert refused["steps"] == ["expand 0003"], refused
    (no,) = refused["refusals"]
    assert (no["step"], no["code"]) == ("expand 0004", "footprint")
    assert "both touch users.name" in no["because"]
    asks = 'def upgrade():\n    op.get_bind().exec_driver_sql("SELECT 1").one()\ndef downgrade(): pass\n'
    project.revision("0004", asks, after="0003")
    refused = project.ec("migrate", "expand")
    assert refused.code == 3
    assert "what one of them touches can't be told: upgrade() needs a connection" in refused.stderr
    project.revision("0004", 'def upgrade():\n    op.execute("SELECT 1")\ndef downgrade(): pass\n', after="0003")
    assert project.json("migrate", "expand")["steps"] == ["expand 0004"]


def test_an_old_tree_may_not_migrate_and_may_not_undo(project, make_project):
    start_with_blue(project)
    old = make_project(project.dsn, folder="old")
    old.revision("0001", CREATE_USERS, title="create users")
    project.revision("0002", rename_name("1ms"), after="0001", title="rename")
    project.ok("migrate", "expand")
    project.ok("backfill")
    # the old tree has a change of its own, so that it has something to run
    old.revision("000b", rename_name("1ms"), after="0001", title="another rename")

    refused = old.json("migrate", "expand", code=3)
    assert [no["code"] for no in refused["refusals"]] == ["old-tree"]
    assert "0002" in refused["refusals"][0]["because"]
    assert "old-tree" in {no["code"] for no in old.json("migrate", "contract", code=3)["refusals"]}
    assert "later-applied" in {no["code"] for no in old.json("undo", "0001", code=3)["refusals"]}
    assert "old-tree" in {no["code"] for step in old.json("plan")["steps"] for no in step["refusals"]}
    assert old.ec("status").code == 0
    assert old.ec("colour", "check", "blue").code == 0
    assert project.steps() == {"expand 0001": "done", "expand 0002": "done", "backfill 0002": "done"}
    assert project.value("SELECT version_num FROM alembic_version") == "0002"


def test_a_contract_is_refused_when_rows_need_the_backfill_after_all(project):
    start_with_blue(project)
    project.revision("0002", rename_name("1ms"), after="0001", title="rename")
    project.ok("migrate", "expand")
    project.ok("backfill")
    project.ok("colour", "deploy", "blue", "2")
    with project.connect() as behind_our_back:
        behind_our_back.execute("SET ec.sync = 'off'")
        behind_our_back.execute("UPDATE users SET display_name = 'stale' WHERE id = 7")

    refused = project.json("migrate", "contract", code=3)

    assert "rows-left" in {no["code"] for no in refused["refusals"]}
    assert "name" in project.columns("users")
    assert project.steps()["backfill 0002"] == "done"


def test_migrate_all_runs_every_phase_until_the_first_colour_is_known(renaming):
    done = renaming.json("migrate", "all")
    assert done["steps"] == ["expand 0001", "expand 0002", "backfill 0002", "contract 0002"]
    assert renaming.columns("users") == ["display_name", "id"]
    assert renaming.json("migrate", "all")["outcome"] == "nothing"

    renaming.ok("colour", "deploy", "blue", "1")
    renaming.revision("0003", "def upgrade(): pass\ndef downgrade(): pass\n", after="0002")
    refused = renaming.ec("migrate", "all")

    assert refused.code == 2
    assert "this database has seen a colour, so ec migrate all is refused" in refused.stderr
    assert "expand 0003" not in renaming.steps()
    assert renaming.json("migrate", "all", code=2)["error"]["kind"] == "UsageError"


def test_a_database_that_ever_saw_a_colour_goes_on_refusing_migrate_all(renaming):
    renaming.ok("init")
    renaming.ok("colour", "deploy", "blue", "1")
    renaming.ok("colour", "retire", "blue")

    assert renaming.ec("migrate", "all").code == 2
    assert renaming.steps() == {}


def test_a_backfill_without_sync_waits_until_every_live_release_writes_both_shapes(project):
    start_with_blue(project)
    body = """
    from expandcontract import Backfill

    def upgrade():
        op.add_column("users", sa.Column("shout", sa.Text))

    def downgrade():
        op.drop_column("users", "shout")

    backfill = Backfill("users", set={"shout": "upper(name)"}, where="shout IS NULL", writers="0002", required=False)
    """
    project.revision("0002", body, after="0001", title="add shout")
    project.ok("migrate", "expand")

    refused = project.json("backfill", code=3)
    assert [no["code"] for no in refused["refusals"]] == ["no-writer"]
    assert "live release 1 lacks it" in refused["refusals"][0]["because"]
    project.ok("colour", "deploy", "green", "2")
    project.ok("colour", "traffic", "blue=50", "green=50")
    assert project.ec("backfill").code == 3
    project.ok("colour", "traffic", "green=100")
    assert project.json("backfill")["filled"][0]["rows_written"] == 300
    assert project.json("colour", "check", "green")["outcome"] == "done"
