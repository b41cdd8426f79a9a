"""``ec observe`` and contracts, with a router that is a file or an HTTP server, on a real database."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import pytest

from tests.fixtures.http_server import Asked, HttpServer, Reply
from tests.fixtures.project import AlembicProject, until

WITNESS = """
[tool.expandcontract]
observed_share = "{share}"

[tool.expandcontract.colours.router]
source = "http"
url = "{url}/live"
"""


@pytest.fixture
def shop(renaming: AlembicProject, web: HttpServer) -> AlembicProject:
    """The rename is expanded and filled, green ships it and is live, blue lacks it; the router is `web`."""
    renaming.variables["EC_CONTRACT_AFTER"] = "0s"
    second = renaming.versions / "0002.py"
    text = second.read_text()
    second.unlink()
    renaming.ok("migrate", "expand")
    renaming.ok("colour", "deploy", "blue", "1")
    second.write_text(text.replace('contract_after = "14d"', 'contract_after = "0s"'))
    renaming.ok("migrate", "expand")
    renaming.ok("colour", "deploy", "green", "2")
    renaming.ok("backfill")
    renaming.ok("colour", "traffic", "green=100")
    renaming.write("pyproject.toml", WITNESS.format(share="0%", url=web.url))
    web.replies["/live"] = Reply("green")
    return renaming


def test_a_look_is_recorded_and_a_cutover_moves_the_ledger(shop: AlembicProject, web: HttpServer) -> None:
    first = shop.json("observe")
    assert (first["state"], first["weights"], first["moved"]) == ("live", {"green": 100}, False)

    web.replies["/live"] = Reply("blue=90 green=10")
    dry = shop.json("observe", "--dry-run")
    assert (dry["moved"], dry["dry_run"]) == (True, True)
    assert shop.value("SELECT weight FROM ec.colour WHERE name = 'green'") == 100

    second = shop.json("observe")
    assert (second["state"], second["moved"]) == ("mixed", True)
    assert shop.rows("SELECT name, weight FROM ec.colour ORDER BY name") == [("blue", 90), ("green", 10)]
    assert shop.rows("SELECT looks, is_known FROM ec.observation") == [(2, True)]
    assert "router" in shop.value(
        "SELECT facts -> 'witnesses' FROM ec.event WHERE kind = 'traffic' ORDER BY id DESC LIMIT 1"
    )


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply("green", 503), "router says status 503"),
        (Reply(""), "router says nothing: the answer is empty"),
        (Reply("purple"), "the ledger knows no colour 'purple'"),
        (Reply("", 302, (("Location", "/login"),)), "status 302, a redirect to /login"),
    ],
)
def test_an_answer_that_is_none_refuses_a_contract_and_breaks_the_stretch(
    shop: AlembicProject, web: HttpServer, reply: Reply, words: str
) -> None:
    web.replies["/live"] = reply

    assert words in shop.json("observe", code=1)["because"]
    document = shop.json("migrate", "contract", code=3)

    assert [refusal["code"] for refusal in document["refusals"]] == ["traffic-unknown"]
    assert words in document["refusals"][0]["because"]
    assert shop.rows("SELECT looks, is_known FROM ec.observation") == [(2, False)]
    web.replies["/live"] = Reply("green")
    shop.ok("migrate", "contract")
    assert [known for (known,) in shop.rows("SELECT is_known FROM ec.observation ORDER BY id")] == [False, True]


def test_a_contract_notices_a_cutover_that_nobody_has_recorded(shop: AlembicProject, web: HttpServer) -> None:
    web.replies["/live"] = Reply("blue")

    document = shop.json("migrate", "contract", code=3)

    assert {"cutover", "live-lacks"} <= {refusal["code"] for refusal in document["refusals"]}
    assert shop.value("SELECT weight FROM ec.colour WHERE name = 'blue'") == 100
    assert "name" in shop.columns("users")


def test_plan_says_so_beforehand_and_records_nothing(shop: AlembicProject, web: HttpServer) -> None:
    web.replies["/live"] = Reply("blue")
    before = shop.snapshot()

    (step,) = shop.json("plan")["steps"]
    dry = shop.json("migrate", "contract", "--dry-run", code=3)

    assert "cutover" in {refusal["code"] for refusal in step["refusals"]}
    assert "cutover" in {refusal["code"] for refusal in dry["refusals"]}
    assert shop.snapshot() == before


def test_a_flip_between_the_gate_and_the_commit_rolls_the_contract_back(shop: AlembicProject, web: HttpServer) -> None:
    looks = 0

    def flips(asked: Asked) -> Reply:
        nonlocal looks
        looks += 1
        return Reply("green" if looks <= 2 else "blue")  # the command's own look, the first in the step, the last

    web.replies["/live"] = flips

    document = shop.json("migrate", "contract", code=3)

    assert looks == 3
    assert [refusal["code"] for refusal in document["refusals"]] == ["cutover"]
    assert "router says 'blue'" in document["refusals"][0]["because"]
    assert "name" in shop.columns("users")
    assert shop.steps().get("contract 0002") is None


FLIPS = {
    "blue": Reply("blue"),
    "both": Reply("blue=1 green=99"),
    "an error": Reply("green", 503),
    "nothing": Reply(""),
}


@pytest.mark.parametrize(
    ("flips_at", "to"),
    [
        pytest.param(look, to, marks=() if (look, to) == (5, "both") else pytest.mark.long)
        for look in range(1, 6)
        for to in FLIPS
    ],
)
def test_whatever_a_source_says_meanwhile_a_part_commits_only_if_it_said_the_same_all_along(
    shop: AlembicProject, web: HttpServer, flips_at: int, to: str
) -> None:
    """The five looks: the command's own, then one before and one at the end of each of the contract's two parts."""
    looks = 0

    def flaps(asked: Asked) -> Reply:
        nonlocal looks
        looks += 1
        return FLIPS[to] if looks >= flips_at else Reply("green")

    web.replies["/live"] = flaps

    document = shop.json("migrate", "contract", code=3)

    assert looks == flips_at
    expected = {"cutover"} if to in ("blue", "both") else {"traffic-unknown"}
    codes = {refusal["code"] for refusal in document["refusals"]}
    assert codes == expected or (flips_at == 1 and codes == expected | {"live-lacks"})
    assert shop.steps().get("contract 0002") == ("started" if flips_at > 3 else None)
    assert "name" in shop.columns("users")

    web.replies["/live"] = Reply("green")
    shop.ok("observe")
    shop.ok("migrate", "contract")
    assert shop.steps()["contract 0002"] == "done"
    assert "name" not in shop.columns("users")


def test_a_database_that_is_to_be_a_witness_has_to_see_the_live_release(shop: AlembicProject, web: HttpServer) -> None:
    shop.variables["EC_DATABASE_WITNESS"] = "true"

    (refusal,) = shop.json("migrate", "contract", code=3)["refusals"]
    assert refusal["code"] == "unmarked"

    with shop.connect(application_name="shop colour=green release=2"):
        shop.ok("migrate", "contract")


def test_a_router_that_hangs_holds_no_lock_for_longer_than_a_lock_time_out(
    shop: AlembicProject, web: HttpServer
) -> None:
    looks = 0

    def hangs(asked: Asked) -> Reply:
        nonlocal looks
        looks += 1
        return Reply("green") if looks <= 2 else Reply(hang=True)

    web.replies["/live"] = hangs

    document = shop.json("migrate", "contract", "--lock-timeout", "300ms", code=3)

    assert "router says nothing" in document["refusals"][0]["because"]
    assert "within 0.3 s" in document["refusals"][0]["because"] or "timed out" in document["refusals"][0]["because"]
    assert "name" in shop.columns("users")


def test_a_window_that_was_not_observed_is_refused(shop: AlembicProject, web: HttpServer) -> None:
    second = shop.versions / "0002.py"
    second.write_text(second.read_text().replace('contract_after = "0s"', 'contract_after = "1h"'))
    shop.write("pyproject.toml", WITNESS.format(share="95%", url=web.url))
    shop.execute(
        "ALTER TABLE ec.event DISABLE TRIGGER USER",
        "UPDATE ec.event SET at = at - interval '2 hours'",
        "UPDATE ec.release SET last_traffic = last_traffic - interval '2 hours' WHERE tag = '1'",
    )

    refused = shop.json("migrate", "contract", code=3)
    assert [refusal["code"] for refusal in refused["refusals"]] == ["unwatched"]
    assert "of the last 1h, 0 % were observed, and 95 % are needed" in refused["refusals"][0]["because"]
    assert refused["refusals"][0]["until"] is not None

    shop.execute("UPDATE ec.observation SET began_at = began_at - interval '1 hour'")
    shop.ok("migrate", "contract")


def test_the_drain_of_a_witness_lengthens_the_window(shop: AlembicProject, web: HttpServer, tmp_path: Path) -> None:
    shop.write("pyproject.toml", WITNESS.format(share="0%", url=web.url) + 'drain = "1h"\n')
    web.replies["/live"] = Reply("blue")
    shop.ec("observe")
    web.replies["/live"] = Reply("green")
    shop.ok("observe")

    document = shop.json("migrate", "contract", code=4)

    (refusal,) = document["refusals"]
    assert refusal["code"] == "window-open"
    assert shop.value("SELECT last_traffic > now() + interval '50 minutes' FROM ec.release WHERE tag = '1'")


def test_a_daemon_follows_the_router_and_ends_cleanly_on_sigterm(shop: AlembicProject, web: HttpServer) -> None:
    weights = "SELECT name FROM ec.colour WHERE weight = 100"
    running = shop.start("observe", "--every", "1s", "--json")
    until(lambda: shop.value("SELECT count(*) FROM ec.observation"), what="the first look")
    web.replies["/live"] = Reply("", 500)
    until(
        lambda: not shop.value("SELECT is_known FROM ec.observation ORDER BY id DESC LIMIT 1"), what="an unknown look"
    )
    web.replies["/live"] = Reply("blue")
    until(lambda: shop.value(weights) == "blue", what="the cutover to blue")
    web.replies["/live"] = Reply("green")
    until(lambda: shop.value(weights) == "green", what="the cutover to green")

    running.signal(signal.SIGTERM)
    ended = running.end()

    assert ended.code == 0
    assert (ended.json["state"], ended.json["looks"] >= 4) == ("live", True)
    for words in ("traffic: live: green=100", "router says status 500", "blue=100; a cutover"):
        assert words in ended.stderr


def test_two_observers_and_a_pipeline_never_put_an_old_answer_over_a_new_one(
    shop: AlembicProject, web: HttpServer
) -> None:
    """The slow answer was given before the pipeline's word, so it must be asked for again."""
    asked = threading.Event()
    answers = iter(("blue", "green"))
    go_on = threading.Event()

    def slow(request: Asked) -> Reply:
        asked.set()
        go_on.wait(60)
        return Reply(next(answers))

    web.replies["/live"] = slow
    running = shop.start("observe", "--json")
    assert asked.wait(60)
    shop.ok("colour", "traffic", "green=99", "blue=1")  # recorded while the answer is on its way
    go_on.set()

    assert running.end().json["weights"] == {"green": 100}
    assert shop.value("SELECT count(*) FROM ec.event WHERE kind = 'traffic' AND facts -> 'live' = '[\"blue\"]'") == 0


def test_without_a_source_or_a_ledger_there_is_nothing_to_observe(project: AlembicProject, web: HttpServer) -> None:
    error = project.json("observe", code=2)["error"]
    assert "no colour source is configured" in error["message"]

    table, line = "[tool.expandcontract]", error["next"].partition("[tool.expandcontract]: ")[2]
    project.write("pyproject.toml", f"{table}\n{line}\n")  # what it says is all that it takes
    project.ok("colour", "deploy", "green", "1")
    project.ok("colour", "traffic", "green=100")
    assert project.json("observe")["weights"] == {"green": 100}
    project.execute("DROP SCHEMA ec CASCADE")

    project.write("pyproject.toml", WITNESS.format(share="0%", url=web.url))
    assert "no ledger" in project.json("observe", code=2)["error"]["message"]
    assert "1s is the least" in project.ec("observe", "--every", "10ms").stderr
