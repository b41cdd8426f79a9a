"""``ec window`` on a real database: longer, closed early, shown, recorded; and steps that are stuck."""

from __future__ import annotations

import pytest

from tests.fixtures.project import AlembicProject, rename_name, until


@pytest.fixture
def shop(renaming: AlembicProject) -> AlembicProject:
    """The rename is expanded and filled; green ships it and has been live for a moment, blue lacks it."""
    second = renaming.versions / "0002.py"
    text = second.read_text()
    second.unlink()
    renaming.ok("migrate", "expand")
    renaming.ok("colour", "deploy", "blue", "1")
    renaming.ok("colour", "traffic", "blue=100")
    second.write_text(text)
    renaming.ok("migrate", "expand")
    renaming.ok("colour", "deploy", "green", "2")
    renaming.ok("backfill")
    renaming.ok("colour", "traffic", "green=100")
    return renaming


def events(shop: AlembicProject) -> list[tuple[str, dict[str, object]]]:
    return [(event["kind"], event["facts"]) for event in shop.json("log")["events"] if "window" in event["kind"]]


def test_a_window_is_shown_extended_and_closed_and_each_is_on_record(shop: AlembicProject) -> None:
    shown = shop.json("window", "0002")
    assert (shown["window"]["declared"], shown["window"]["person"]) == (14 * 86400, None)
    assert [hold["release"] for hold in shown["window"]["holds"] if hold["is_open"]] == ["1", None]

    extended = shop.json("window", "0002", "--extend", "3d", "--reason", "the sales are on")
    assert extended["window"]["extended"] == 3 * 86400
    (refused,) = shop.json("migrate", "contract", code=4)["refusals"]
    assert "the window is 17d, 3d of it an extension" in refused["because"]
    for verb in ("plan", "status"):
        assert "17d, 3d of it an extension (by ada: the sales are on)" in shop.ok(verb).stdout

    before = shop.snapshot()
    dry = shop.json("window", "0002", "--close", "--reason", "no way back needed", "--dry-run")
    assert (dry["gives_up"], dry["dry_run"]) == (["1"], True)
    assert shop.snapshot() == before

    closed = shop.ok("window", "0002", "--close", "--reason", "no way back needed")
    assert "the way back to release 1 is given up" in closed.stdout
    assert "closed early at" in shop.ok("status").stdout
    assert events(shop) == [
        ("window extended", {"by": "3d", "reason": "the sales are on"}),
        ("window closed", {"gives_up": ["1"], "reason": "no way back needed"}),
    ]
    shop.ok("migrate", "contract")
    gone = shop.json("window", "0002", "--extend", "1d", code=3)
    assert [refusal["code"] for refusal in gone["refusals"]] == ["contracted"]


def test_who_gets_traffic_after_the_closing_has_a_window_again(shop: AlembicProject) -> None:
    shop.ok("window", "0002", "--close", "--reason", "done with it")
    shop.ok("colour", "traffic", "blue=100")
    shop.ok("colour", "traffic", "green=100")

    assert shop.ec("migrate", "contract", "--json").code == 4


def test_it_is_not_closed_while_a_live_release_lacks_the_change(shop: AlembicProject) -> None:
    shop.ok("colour", "traffic", "green=90", "blue=10")

    document = shop.json("window", "0002", "--close", "--reason", "hurry", code=3)

    assert [refusal["code"] for refusal in document["refusals"]] == ["live-lacks"]
    assert events(shop) == []


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


def test_an_undone_change_begins_with_a_window_as_declared(shop: AlembicProject) -> None:
    shop.ok("window", "0002", "--extend", "3d")
    shop.ok("colour", "traffic", "blue=100")
    shop.ok("undo", "0002", "--give-up", "2")

    assert shop.json("window", "0002")["window"]["extended"] == 0


def test_an_extension_comes_before_a_contract_that_is_about_to_commit(shop: AlembicProject) -> None:
    """It waits at its end until nobody decides about traffic or windows, and then asks again."""
    second = shop.versions / "0002.py"
    second.write_text(second.read_text().replace(rename_name(), rename_name("0s")))
    with shop.connect() as deciding:
        deciding.execute("LOCK TABLE ec.colour IN SHARE ROW EXCLUSIVE MODE")
        running = shop.start("migrate", "contract", "--json")
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'ec.colour'::regclass"
        until(lambda: shop.value(waiting), what="the contract waits for who decides")
        deciding.execute("INSERT INTO ec.rollback_window (revision, extended, person) VALUES ('0002', 86400, 'ada')")
        deciding.commit()

    ended = running.end()
    assert ended.code == 4, ended
    assert "1d of it an extension" in ended.json["refusals"][0]["because"]
    assert "name" in shop.columns("users")


# a step that is stuck


def test_a_failed_step_pauses_the_shift_and_leaves_the_way_back_open(shop: AlembicProject) -> None:
    shop.revision("0003", "def upgrade():\n    op.execute('SELECT 1/0')\n\ndef downgrade(): ...\n", after="0002")
    assert shop.ec("migrate", "expand").code == 7

    document = shop.json("colour", "check", "green", code=3)
    (refusal,) = document["refusals"]
    assert (refusal["step"], refusal["code"]) == ("expand 0003", "stuck")
    assert "division by zero; pause the shift" in refusal["because"]
    assert refusal["next"] == "ec log 0003, mend the cause, then ec migrate expand 0003"
    shop.ok("colour", "check", "blue", "--rollback")

    shop.revision("0003", "def upgrade(): ...\n\ndef downgrade(): ...\n", after="0002")
    shop.ok("migrate", "expand")
    shop.ok("colour", "check", "green")


def test_a_failed_step_that_its_author_has_taken_back_is_forgotten(shop: AlembicProject) -> None:
    shop.revision("0003", "def upgrade():\n    op.execute('SELECT 1/0')\n\ndef downgrade(): ...\n", after="0002")
    assert shop.ec("migrate", "expand").code == 7
    (shop.versions / "0003.py").unlink()
    assert shop.ec("colour", "check", "green").code == 3

    assert "expand 0003 had failed, and this tree has it no more" in shop.ok("migrate", "expand").stderr
    shop.ok("colour", "check", "green")


def test_a_release_is_asked_about_by_its_tag_as_well(shop: AlembicProject) -> None:
    shop.ok("colour", "retire", "blue")

    assert shop.json("colour", "check", "2")["colours"][0]["name"] == "green"
    gone = shop.ok("colour", "check", "1", "--rollback")
    assert "release 1 runs on no colour" in gone.stdout
    assert "there is no colour 'purple'" in shop.json("colour", "check", "purple", code=2)["error"]["message"]
