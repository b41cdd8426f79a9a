"""``ec window`` on a real database: longer, closed early, shown, recorded; and steps that are stuck."""

from __future__ import annotations

import pytest

from tests.fixtures.project import AlembicProject, rename_name, until


def events(switched: AlembicProject) -> list[tuple[str, dict[str, object]]]:
    return [(event["kind"], event["facts"]) for event in switched.json("log")["events"] if "window" in event["kind"]]


def test_a_window_is_shown_extended_and_closed_and_each_is_on_record(switched: AlembicProject) -> None:
    shown = switched.json("window", "0002")
    assert (shown["window"]["declared"], shown["window"]["person"]) == (14 * 86400, None)
    assert [hold["release"] for hold in shown["window"]["holds"] if hold["is_open"]] == ["1", None]

    extended = switched.json("window", "0002", "--extend", "3d", "--reason", "the sales are on")
    assert extended["window"]["extended"] == 3 * 86400
    (refused,) = switched.json("migrate", "contract", code=4)["refusals"]
    assert "the window is 17d, 3d of it an extension" in refused["because"]
    for verb in ("plan", "status"):
        assert "17d, 3d of it an extension (by ada: the sales are on)" in switched.ok(verb).stdout

    before = switched.snapshot()
    dry = switched.json("window", "0002", "--close", "--reason", "no way back needed", "--dry-run")
    assert (dry["gives_up"], dry["dry_run"]) == (["1"], True)
    assert switched.snapshot() == before

    closed = switched.ok("window", "0002", "--close", "--reason", "no way back needed")
    assert "the way back to release 1 is given up" in closed.stdout
    assert "closed early at" in switched.ok("status").stdout
    assert events(switched) == [
        ("window extended", {"by": "3d", "reason": "the sales are on"}),
        ("window closed", {"gives_up": ["1"], "reason": "no way back needed"}),
    ]
    switched.ok("migrate", "contract")
    gone = switched.json("window", "0002", "--extend", "1d", code=3)
    assert [refusal["code"] for refusal in gone["refusals"]] == ["contracted"]


def test_who_gets_traffic_after_the_closing_has_a_window_again(switched: AlembicProject) -> None:
    switched.ok("window", "0002", "--close", "--reason", "done with it")
    switched.ok("colour", "traffic", "blue=100")
    switched.ok("colour", "traffic", "green=100")

    assert switched.ec("migrate", "contract", "--json").code == 4


def test_it_is_not_closed_while_a_live_release_lacks_the_change(switched: AlembicProject) -> None:
    switched.ok("colour", "traffic", "green=90", "blue=10")

    document = switched.json("window", "0002", "--close", "--reason", "hurry", code=3)

    assert [refusal["code"] for refusal in document["refusals"]] == ["live-lacks"]
    assert events(switched) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--close",), "needs --reason"),
        (("--close", "--reason", " "), "needs --reason"),
        (("--close", "--extend", "1d", "--reason", "x"), "goes without --extend"),
        (("--extend", "-1d"), "is not a duration"),
        (("--extend", "0s"), "more than nothing"),
    ],
)
def test_what_cannot_be_meant_is_a_mistake(project: AlembicProject, arguments: tuple[str, ...], words: str) -> None:
    ran = project.ec("window", "0002", *arguments)

    assert (ran.code, words in ran.stderr) == (2, True), ran


def test_a_change_without_a_contract_has_no_window(renaming: AlembicProject) -> None:
    assert "no rollback window" in renaming.json("window", "0001", code=2)["error"]["message"]
    assert "no ledger" in renaming.json("window", "0002", "--extend", "1d", code=2)["error"]["message"]


def test_an_undone_change_begins_with_a_window_as_declared(switched: AlembicProject) -> None:
    switched.ok("window", "0002", "--extend", "3d")
    switched.ok("colour", "traffic", "blue=100")
    switched.ok("undo", "0002", "--give-up", "2")

    assert switched.json("window", "0002")["window"]["extended"] == 0


def test_an_extension_comes_before_a_contract_that_is_about_to_commit(switched: AlembicProject) -> None:
    """It waits at its end until nobody decides about traffic or windows, and then asks again."""
    second = switched.versions / "0002.py"
    second.write_text(second.read_text().replace(rename_name(), rename_name("0s")))
    with switched.connect() as deciding:
        deciding.execute("LOCK TABLE ec.colour IN SHARE ROW EXCLUSIVE MODE")
        running = switched.start("migrate", "contract", "--json")
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'ec.colour'::regclass"
        until(lambda: switched.value(waiting), what="the contract waits for who decides")
        deciding.execute("INSERT INTO ec.rollback_window (revision, extended, person) VALUES ('0002', 86400, 'ada')")
        deciding.commit()

    ended = running.end()
    assert ended.code == 4, ended
    assert "1d of it an extension" in ended.json["refusals"][0]["because"]
    assert "name" in switched.columns("users")


# a step that is stuck


def test_a_failed_step_pauses_the_shift_and_leaves_the_way_back_open(switched: AlembicProject) -> None:
    switched.revision("0003", "def upgrade():\n    op.execute('SELECT 1/0')\n\ndef downgrade(): ...\n", after="0002")
    assert switched.ec("migrate", "expand").code == 7

    document = switched.json("colour", "check", "green", code=3)
    (refusal,) = document["refusals"]
    assert (refusal["step"], refusal["code"]) == ("expand 0003", "stuck")
    assert "division by zero; pause the shift" in refusal["because"]
    assert refusal["next"] == "ec log 0003, mend the cause, then ec migrate expand 0003"
    switched.ok("colour", "check", "blue", "--rollback")

    switched.revision("0003", "def upgrade(): ...\n\ndef downgrade(): ...\n", after="0002")
    switched.ok("migrate", "expand")
    switched.ok("colour", "check", "green")


def test_a_failed_step_that_its_author_has_taken_back_is_forgotten(switched: AlembicProject) -> None:
    switched.revision("0003", "def upgrade():\n    op.execute('SELECT 1/0')\n\ndef downgrade(): ...\n", after="0002")
    assert switched.ec("migrate", "expand").code == 7
    (switched.versions / "0003.py").unlink()
    assert switched.ec("colour", "check", "green").code == 3

    assert "expand 0003 had failed, and this tree has it no more" in switched.ok("migrate", "expand").stderr
    switched.ok("colour", "check", "green")


def test_a_release_is_asked_about_by_its_tag_as_well(switched: AlembicProject) -> None:
    switched.ok("colour", "retire", "blue")

    assert switched.json("colour", "check", "2")["colours"][0]["name"] == "green"
    gone = switched.ok("colour", "check", "1", "--rollback")
    assert "release 1 runs on no colour" in gone.stdout
    assert "there is no colour 'purple'" in switched.json("colour", "check", "purple", code=2)["error"]["message"]
