"""Who may object: what counts as clear, as an objection, and as not known."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from expandcontract.domain.evidence import Alert, Verdict
from expandcontract.evidence.alert_sources import (
    Alertmanager,
    AlertSource,
    CommandCheck,
    HttpCheck,
    NamedAlert,
    Prometheus,
    read_alert_sources,
)
from tests.fixtures.http_server import HttpServer, Reply

CLEAR, SEEN, INCONCLUSIVE = Verdict.CLEAR, Verdict.SEEN, Verdict.INCONCLUSIVE
ERRORS = [{"metric": {"job": "shop"}, "value": [1.0, "0.02"]}, {"metric": {"job": "cart"}, "value": [1.0, "0.5"]}]


def asked(source: AlertSource, seconds: float = 5.0) -> Alert:
    return NamedAlert("it", source).ask(seconds)


def vector(*series: Any, **more: Any) -> Reply:
    return Reply({"status": "success", "data": {"resultType": "vector", "result": list(series)}, **more})


def value(text: str) -> dict[str, Any]:
    return {"metric": {}, "value": [1.0, text]}


@pytest.mark.parametrize(
    ("reply", "verdict", "words"),
    [
        (vector(value("0.001")), CLEAR, "nothing"),
        (vector(value("0.01")), SEEN, "0.01, which must be below 0.01 and above 0"),
        (
            vector(value("0.001"), *ERRORS),
            SEEN,
            "0.02 for job=shop, which must be below 0.01 and above 0; 0.5 for job=cart",
        ),
        (vector(value("-1")), SEEN, "-1, which must be"),
        (Reply({"status": "success", "data": {"resultType": "scalar", "result": [1.0, "7"]}}), SEEN, "7"),
        (vector(), INCONCLUSIVE, "no series"),
        (vector(value("NaN")), INCONCLUSIVE, "no finite number"),
        (vector(value("0.001"), value("NaN")), INCONCLUSIVE, "no finite number"),
        (vector(value("+Inf")), INCONCLUSIVE, "no finite number"),
        (vector(value("0.001"), warnings=["remote read failed"]), INCONCLUSIVE, "remote read failed"),
        (
            Reply({"status": "success", "data": {"resultType": "matrix", "result": [{"values": []}]}}),
            INCONCLUSIVE,
            "no numbers",
        ),
        (Reply({"status": "error", "error": "bad"}, 400), INCONCLUSIVE, "status 400"),
        (Reply([1]), INCONCLUSIVE, "AttributeError"),
        (Reply("<html>"), INCONCLUSIVE, "JSON"),
    ],
)
def test_every_number_of_a_query_must_lie_within_the_bounds(
    web: HttpServer, reply: Reply, verdict: Verdict, words: str
) -> None:
    web.replies["/api/v1/query"] = reply

    found = asked(Prometheus(web.url, "errors", below=0.01, above=0))

    assert found.verdict is verdict
    assert words in found.said


def test_an_address_that_must_be_well(web: HttpServer) -> None:
    web.replies["/health"] = Reply("ok")
    web.replies["/ill"] = Reply("no", 500)

    assert asked(HttpCheck(f"{web.url}/health")).verdict is CLEAR
    assert asked(HttpCheck(f"{web.url}/ill")) == Alert("it", SEEN, "it answers with status 500")
    assert asked(HttpCheck("http://127.0.0.1:1/")).verdict is INCONCLUSIVE


@pytest.mark.parametrize(
    ("code", "verdict", "words"),
    [
        ("", CLEAR, "nothing"),
        ("print('the freeze lasts until Monday'); raise SystemExit(1)", SEEN, "the freeze lasts until Monday"),
        ("raise SystemExit(1)", SEEN, "says no"),
        ("raise SystemExit(2)", INCONCLUSIVE, "ended with status 2"),
        ("import os; os.kill(os.getpid(), 9)", INCONCLUSIVE, "ended with status -9"),
        ("import time; time.sleep(60)", INCONCLUSIVE, "didn't end within 1 s"),
    ],
)
def test_a_command_by_its_status(code: str, verdict: Verdict, words: str) -> None:
    found = asked(CommandCheck((sys.executable, "-c", code)), seconds=1.0)

    assert (found.verdict, words in found.said) == (verdict, True)
    assert asked(CommandCheck(("no-such-program",))).verdict is INCONCLUSIVE


@pytest.mark.parametrize(
    ("status", "alerts", "words"),
    [
        (Reply({"cluster": {"status": "settling"}}), Reply([]), "still settling"),
        (Reply({}), Reply([]), "has no cluster"),
        (Reply({"cluster": {"status": "ready"}}), Reply({"a": 1}), "no list of alerts"),
        (Reply({"cluster": {"status": "ready"}}), Reply([{"labels": {}}]), "has no status"),
        (Reply({"cluster": {"status": "ready"}}), Reply([], 503), "status 503"),
    ],
)
def test_an_alertmanager_whose_answer_is_none(web: HttpServer, status: Reply, alerts: Reply, words: str) -> None:
    web.replies["/api/v2/status"], web.replies["/api/v2/alerts"] = status, alerts

    found = asked(Alertmanager(web.url))

    assert (found.verdict, words in found.said) == (INCONCLUSIVE, True)


def test_mistakes_of_the_configuration() -> None:
    sources, mistakes = read_alert_sources(
        {
            "a": "x",
            "b": {"source": "oracle"},
            "c": {"source": "prometheus", "url": "http://x", "query": "up"},
            "d": {"source": "alertmanager", "url": "x", "matchers": "page"},
            "e": {"source": "command", "argv": ["true"]},
        }
    )

    assert [source.name for source in sources] == ["e"]
    assert mistakes == [
        "alerts.a: must be a table, such as [tool.expandcontract.alerts.pages]",
        "alerts.b: source is 'oracle'; there are alertmanager, prometheus, http, command",
        "alerts.c: needs below or above, or both",
        "alerts.d: matchers: 'page' must be a list of texts",
    ]
