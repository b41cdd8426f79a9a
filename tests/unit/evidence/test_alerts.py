"""Prometheus, Alertmanager and plain addresses, over HTTP on this machine."""

from __future__ import annotations

from typing import Any

import pytest

from expandcontract.evidence.alerts import Address, Unanswered, firing_alerts, prometheus_value, unwell
from tests.fixtures.monitoring import Monitoring, vector


def test_the_largest_value_of_a_query(monitoring: Monitoring) -> None:
    monitoring.answers(vector("0.5", "NaN", "2", "1e-3"))

    assert prometheus_value(Address(monitoring.url + "/prom/"), "rate(x[5m]) > 0") == 2.0
    assert monitoring.asked[0][:2] == ("/prom/api/v1/query", {"query": ["rate(x[5m]) > 0"]})


def test_a_scalar(monitoring: Monitoring) -> None:
    monitoring.answers({"status": "success", "data": {"resultType": "scalar", "result": [1.0, "7"]}})

    assert prometheus_value(Address(monitoring.url), "7") == 7.0


@pytest.mark.parametrize(
    ("document", "status", "words"),
    [
        (vector(), 200, "no series"),
        (vector("NaN"), 200, "no series"),
        ({"status": "success"}, 200, "no value"),
        (vector("1"), 503, "status 503"),
    ],
)
def test_silence_is_no_good_news(monitoring: Monitoring, document: Any, status: int, words: str) -> None:
    monitoring.answers(document, status)

    with pytest.raises(Unanswered, match=words):
        prometheus_value(Address(monitoring.url), "x")


def test_what_is_no_json_or_no_server_is_unanswered(monitoring: Monitoring) -> None:
    monitoring.body = "<html>log in</html>"
    with pytest.raises(Unanswered, match="JSON"):
        prometheus_value(Address(monitoring.url), "x")
    with pytest.raises(Unanswered, match=r"no answer from 127\.0\.0\.1"):
        unwell(Address("http://127.0.0.1:1/"))
    with pytest.raises(Unanswered, match="ftp"):
        unwell(Address("ftp://127.0.0.1/"))


def test_alerts_that_fire_by_their_matchers(monitoring: Monitoring) -> None:
    labels = {"alertname": "HighLatency", "severity": "page"}
    monitoring.answers([{"labels": labels, "startsAt": "2026-11-21T09:30:00Z"}])

    assert firing_alerts(Address(monitoring.url), ['severity="page"', "team=~orders|carts"]) == [
        "alert HighLatency fires since 2026-11-21T09:30:00Z (severity=page)"
    ]
    path, query, _ = monitoring.asked[0]
    assert path == "/api/v2/alerts"
    assert query["filter"] == ['severity="page"', "team=~orders|carts"]
    assert (query["active"], query["silenced"], query["inhibited"]) == (["true"], ["false"], ["false"])


def test_no_alert_and_an_answer_that_is_none(monitoring: Monitoring) -> None:
    monitoring.answers([])
    assert firing_alerts(Address(monitoring.url), []) == []

    monitoring.answers({"error": "x"})
    with pytest.raises(Unanswered, match="understood"):
        firing_alerts(Address(monitoring.url), [])


@pytest.mark.parametrize(("status", "is_well"), [(200, True), (204, True), (404, False), (500, False)])
def test_an_address_is_well_or_not(monitoring: Monitoring, status: int, is_well: bool) -> None:
    monitoring.status = status

    assert unwell(Address(f"{monitoring.url}/health?deep=1")) == (
        [] if is_well else [f"it answers with status {status}"]
    )
    assert monitoring.asked[0][:2] == ("/health", {"deep": ["1"]})


def test_tokens_and_passwords_are_sent_and_never_shown(monitoring: Monitoring, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unanswered, match="EC_TOKEN"):
        unwell(Address(monitoring.url, "EC_TOKEN"))
    monkeypatch.setenv("EC_TOKEN", "s3cret")
    unwell(Address(monitoring.url, "EC_TOKEN"))
    unwell(Address(monitoring.url.replace("//", "//ann:s3cret@")))

    assert [headers["Authorization"] for _, _, headers in monitoring.asked] == [
        "Bearer s3cret",
        "Basic YW5uOnMzY3JldA==",
    ]
    with pytest.raises(Unanswered) as error:
        unwell(Address("http://ann:s3cret@127.0.0.1:1/"))
    assert "s3cret" not in str(error.value)
