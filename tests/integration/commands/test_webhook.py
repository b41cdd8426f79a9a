"""The webhook: what it is told, and that nothing depends on it."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from tests.fixtures.http_server import HttpServer, Reply
from tests.fixtures.project import AlembicProject, until

FAILING = "def upgrade():\n    op.execute(\"SELECT CAST('host=db password=hunter2' AS int)\")\n\ndef downgrade(): ...\n"


@pytest.fixture
def told(renaming: AlembicProject, web: HttpServer) -> AlembicProject:
    """The rename is expanded; whoever is told is `web`, at a secret path with a password."""
    renaming.ok("migrate", "expand")
    renaming.variables["EC_WEBHOOK"] = web.url.replace("://", "://ec:s3cret@") + "/hooks/T0PSECRET"
    web.replies["/hooks/T0PSECRET"] = Reply("ok")
    return renaming


def news(web: HttpServer) -> list[dict[str, Any]]:
    return [json.loads(asked.body) for asked in web.asked]


def test_a_refusal_is_told_with_who_and_why(told: AlembicProject, web: HttpServer) -> None:
    assert told.ec("migrate", "contract").code == 3

    [document] = news(web)
    assert (document["schema"], document["command"], document["outcome"]) == ("ec/1", "migrate contract", "refused")
    assert document["person"] == "ada"
    assert "no-live-colour" in {refusal["code"] for refusal in document["refusals"]}
    assert "refused: contract 0002" in document["text"]
    [asked] = web.asked
    assert (asked.method, asked.headers["Content-Type"]) == ("POST", "application/json")
    assert asked.headers["Authorization"].startswith("Basic ")


def test_a_check_that_says_no_is_told_and_one_that_says_yes_is_not(told: AlembicProject, web: HttpServer) -> None:
    told.ok("colour", "deploy", "green", "2")
    assert told.ec("colour", "check", "green").code == 3
    told.ok("backfill")
    told.ok("colour", "check", "green")
    [document] = news(web)
    assert (document["command"], document["release"]) == ("colour check", "2")
    assert {refusal["code"] for refusal in document["refusals"]} == {"not-backfilled"}
    assert document["text"].startswith("ec colour check: refused")

    told.write("pyproject.toml", '[tool.expandcontract.alerts.freeze]\nsource = "command"\nargv = ["false"]\n')
    assert told.ec("colour", "check", "green").code == 1
    assert news(web)[1]["alerts"][0]["verdict"] == "seen"


def test_a_failure_is_told_without_a_secret(told: AlembicProject, web: HttpServer) -> None:
    told.revision("0003", FAILING, after="0002")

    assert told.ec("migrate", "expand").code == 7

    [document] = news(web)
    assert document["outcome"] == "failed"
    assert "host=db password=***" in document["error"]["because"]
    sent = web.asked[0].body.decode()
    for secret in ("hunter2", "s3cret", "T0PSECRET", *told.secrets):
        assert secret not in sent


def test_closings_are_told_and_what_is_usual_is_not(told: AlembicProject, web: HttpServer) -> None:
    told.ok("backfill")
    told.ok("colour", "deploy", "green", "2")
    told.ok("colour", "traffic", "green=100")
    assert told.ec("migrate", "contract").code == 4  # every night, for two weeks
    told.ok("window", "0002", "--close", "--reason", "nobody goes back", "--dry-run")
    assert told.ec("window", "0002", "--close").code == 2
    assert news(web) == []

    told.ok("window", "0002", "--close", "--reason", "nobody goes back")
    told.ok("migrate", "contract")

    closed, contracted = news(web)
    assert (closed["command"], closed["closes"], closed["window"]["reason"]) == ("window", True, "nobody goes back")
    assert (contracted["command"], contracted["steps"]) == ("migrate contract", ["contract 0002"])


def test_a_daemon_tells_once_of_traffic_that_should_not_be(told: AlembicProject, web: HttpServer) -> None:
    """Green has traffic before its backfill is complete, and the router is the first to know."""
    told.ok("colour", "deploy", "green", "2")
    told.write("pyproject.toml", f'[tool.expandcontract.colours.router]\nsource = "http"\nurl = "{web.url}/live"\n')
    web.replies["/live"] = Reply("green")
    running = told.start("observe", "--every", "1s")
    until(lambda: (told.value("SELECT max(looks) FROM ec.observation") or 0) >= 3, what="three looks")
    running.signal(signal.SIGTERM)
    running.end()

    [document] = [json.loads(asked.body) for asked in web.asked if asked.method == "POST"]
    assert (document["command"], document["outcome"]) == ("observe", "refused")
    assert {refusal["code"] for refusal in document["refusals"]} == {"not-backfilled"}


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply("no", 500), "status 500"),
        (Reply("", 302, (("Location", "http://127.0.0.1:1/T0PSECRET"),)), "status 302"),
        (Reply(hang=True), "no answer within 3 s"),
    ],
)
def test_a_webhook_that_fails_is_mentioned_and_changes_nothing(
    told: AlembicProject, web: HttpServer, reply: Reply, words: str
) -> None:
    web.replies["/hooks/T0PSECRET"] = reply

    ran = told.ec("migrate", "contract", "--json")

    assert (ran.code, "no-live-colour" in ran.refusal_codes) == (3, True)
    assert "the webhook wasn't told: 127.0.0.1: " in ran.stderr
    assert words in ran.stderr or "timed out" in ran.stderr
    assert "T0PSECRET" not in ran.stderr + ran.stdout
    assert "s3cret" not in ran.stderr + ran.stdout


def test_one_that_is_nowhere_is_mentioned(told: AlembicProject) -> None:
    told.variables["EC_WEBHOOK"] = "http://127.0.0.1:1/T0PSECRET"

    ran = told.ec("migrate", "contract")

    assert (ran.code, "the webhook wasn't told: 127.0.0.1: nothing:" in ran.stderr) == (3, True), ran
    assert "T0PSECRET" not in ran.stderr


def test_an_address_that_is_none_is_a_mistake_and_not_repeated(project: AlembicProject) -> None:
    ran = project.ec("migrate", "expand", variables={"EC_WEBHOOK": "slack:T0PSECRET"})

    assert (ran.code, "EC_WEBHOOK: it is no address" in ran.stderr, "T0PSECRET" in ran.stderr) == (2, True, False)
