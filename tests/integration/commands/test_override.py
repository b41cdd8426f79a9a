"""``ec migrate contract --override``: what a person answers for, and what nobody can."""

from __future__ import annotations

import psycopg
import pytest

from tests.fixtures.project import AlembicProject

WHY = ("--reason", "the old release is gone for good")


def test_the_rest_of_a_window_is_overridden_by_name_and_kept_with_each_part(switched: AlembicProject) -> None:
    before = switched.snapshot()
    dry = switched.json("migrate", "contract", "0002", "--override", "window-open", *WHY, "--dry-run")
    assert [refusal["code"] for refusal in dry["overridden"]] == ["window-open"]
    assert switched.snapshot() == before

    ran = switched.ok("migrate", "contract", "0002", "--override", "window-open", *WHY)

    assert "overridden: window-open: blue runs release 1, which lacks 0002" in ran.stdout
    done = [event for event in switched.json("log")["events"] if str(event["step"]).startswith("contract")]
    assert [event["kind"] for event in done] == ["contract part done", "contract done"]
    for event in done:
        assert event["facts"]["reason"] == "the old release is gone for good"
        assert event["facts"]["overrides"][0].startswith("window-open: blue runs release 1")
        assert (event["person"], event["host"] != "", event["pid"] > 0) == ("ada", True, True)
    with switched.connect() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM ec.event WHERE kind = 'contract done'")


def test_it_goes_as_far_as_it_was_named(switched: AlembicProject) -> None:
    with switched.connect(application_name="worker colour=blue release=1"):
        refused = switched.json("migrate", "contract", "0002", "--override", "window-open", *WHY, code=3)
        assert [refusal["code"] for refusal in refused["refusals"]] == ["session"]
        assert "name" in switched.columns("users")

        both = ("--override", "window-open", "--override", "session")
        done = switched.json("migrate", "contract", "0002", *both, *WHY)
    assert {refusal["code"] for refusal in done["overridden"]} == {"window-open", "session"}


def test_a_live_release_that_lacks_the_change_is_nobodys_to_decide(switched: AlembicProject) -> None:
    switched.ok("colour", "traffic", "blue=50", "green=50")

    refused = switched.json("migrate", "contract", "0002", "--override", "window-open", *WHY, code=3)

    assert [refusal["code"] for refusal in refused["refusals"]] == ["live-lacks"]
    assert "name" in switched.columns("users")


def test_rows_are_looked_for_whatever_is_overridden(switched: AlembicProject) -> None:
    switched.execute(
        "ALTER TABLE users DISABLE TRIGGER USER",
        "ALTER TABLE users DROP CONSTRAINT named",
        "INSERT INTO users (name) VALUES ('nobody saw me')",
        "ALTER TABLE users ENABLE TRIGGER USER",
    )

    refused = switched.json("migrate", "contract", "0002", "--override", "window-open", *WHY, code=3)

    assert "rows-left" in {refusal["code"] for refusal in refused["refusals"]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("0002", "--override", "window-open"), "--reason TEXT"),
        (("0002", "--override", "window-open", "--reason", "  "), "--reason TEXT"),
        (("--override", "window-open", "--reason", "x"), "the one REVISION"),
        (("0002", "--reason", "x"), "goes with --override"),
        (("0002", "--override", "live-lacks", "--reason", "x"), "'live-lacks' is not one of"),
    ],
)
def test_what_cannot_be_overridden_is_a_mistake(
    project: AlembicProject, arguments: tuple[str, ...], words: str
) -> None:
    ran = project.ec("migrate", "contract", *arguments)

    assert (ran.code, words in ran.stderr) == (2, True), ran
