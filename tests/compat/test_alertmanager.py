"""A real Alertmanager: empty, firing, silenced, without its heartbeat, gone."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from expandcontract.domain.evidence import Alert, Verdict
from expandcontract.evidence.alert_sources import Alertmanager, NamedAlert
from tests.fixtures.project import AlembicProject, until


@dataclass
class Server:
    """An Alertmanager that runs."""

    url: str
    process: subprocess.Popen[bytes]

    def post(self, path: str, document: Any) -> None:
        body = json.dumps(document).encode()
        headers = {"Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(self.url + path, body, headers), timeout=10).close()

    def fire(self, name: str, **labels: str) -> None:
        self.post("/api/v2/alerts", [{"labels": {"alertname": name, **labels}}])

    def silence(self, name: str) -> None:
        now = datetime.now(UTC)
        matcher = {"name": "alertname", "value": name, "isRegex": False, "isEqual": True}
        times = {"startsAt": now.isoformat(), "endsAt": (now + timedelta(hours=1)).isoformat()}
        self.post("/api/v2/silences", {"matchers": [matcher], **times, "createdBy": "ann", "comment": "known"})

    def ask(self, **options: Any) -> Alert:
        return NamedAlert("pages", Alertmanager(self.url, **options)).ask(5.0)


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Server]:
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    assert program, "no Alertmanager on this machine: apt install prometheus-alertmanager, brew install alertmanager"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "alertmanager.yml").write_text("route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n")
    process = subprocess.Popen(
        [
            program,
            f"--config.file={tmp_path / 'alertmanager.yml'}",
            f"--storage.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ],
        stderr=subprocess.DEVNULL,
    )
    server = Server(f"http://127.0.0.1:{port}", process)
    try:
        until(lambda: server.ask().verdict is not Verdict.INCONCLUSIVE, what="Alertmanager answers")
        yield server
    finally:
        process.kill()
        process.wait(30)


def test_only_matching_alerts_object_and_silenced_ones_by_policy(alertmanager: Server) -> None:
    assert alertmanager.ask().verdict is Verdict.CLEAR

    alertmanager.fire("SlowQueries", severity="warning")
    assert alertmanager.ask().verdict is Verdict.CLEAR

    alertmanager.fire("ErrorRate", severity="page")
    found = alertmanager.ask()
    assert found.verdict is Verdict.SEEN
    assert found.said.startswith("alert ErrorRate since 20")

    alertmanager.silence("ErrorRate")
    until(lambda: "silenced or inhibited alert ErrorRate" in alertmanager.ask().said, what="it is silenced")
    assert alertmanager.ask().verdict is Verdict.SEEN
    assert alertmanager.ask(silenced=False).verdict is Verdict.CLEAR


def test_without_its_heartbeat_an_empty_list_says_nothing(alertmanager: Server) -> None:
    heartbeat = 'alertname="Watchdog"'
    found = alertmanager.ask(heartbeat=heartbeat)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "heartbeat" in found.said

    alertmanager.fire("Watchdog", severity="none")
    assert alertmanager.ask(heartbeat=heartbeat).verdict is Verdict.CLEAR


def test_an_alert_stands_in_the_way_of_a_switch_and_a_contract_and_not_of_the_way_back(
    alertmanager: Server, renaming: AlembicProject
) -> None:
    second = renaming.versions / "0002.py"
    text = second.read_text().replace('contract_after = "14d"', 'contract_after = "0s"')
    second.unlink()
    renaming.ok("migrate", "expand")
    renaming.ok("colour", "deploy", "blue", "1")
    renaming.ok("colour", "traffic", "blue=100")
    second.write_text(text)
    renaming.ok("migrate", "expand")
    renaming.ok("colour", "deploy", "green", "2")
    renaming.ok("backfill")
    renaming.ok("colour", "traffic", "green=100")
    renaming.write(
        "pyproject.toml",
        f'[tool.expandcontract.alerts.pages]\nsource = "alertmanager"\nurl = "{alertmanager.url}"\n',
    )
    assert renaming.json("colour", "check", "green")["alerts"] == [
        {"name": "pages", "verdict": "clear", "said": "nothing"}
    ]

    alertmanager.fire("ErrorRate", severity="page")
    assert "pages is seen: alert ErrorRate since" in renaming.ec("colour", "check", "green").stdout
    assert renaming.json("colour", "check", "green", code=1)["alerts"][0]["verdict"] == "seen"
    assert renaming.json("colour", "check", "blue", "--rollback")["alerts"] == []
    (refusal,) = renaming.json("migrate", "contract", code=3)["refusals"]
    assert (refusal["code"], "pages is seen: alert ErrorRate" in refusal["because"]) == ("alert", True)

    alertmanager.silence("ErrorRate")
    until(lambda: "silenced" in alertmanager.ask().said, what="it is silenced")
    (refusal,) = renaming.json("migrate", "contract", code=3)["refusals"]
    assert "pages is seen: silenced or inhibited alert ErrorRate" in refusal["because"]
    configured = (renaming.folder / "pyproject.toml").read_text()
    renaming.write("pyproject.toml", configured + "silenced = false\nheartbeat = 'alertname=\"Watchdog\"'\n")
    (refusal,) = renaming.json("migrate", "contract", code=3)["refusals"]
    assert "pages is inconclusive: " in refusal["because"], "it has no heartbeat, so that it has no alert says nothing"
    renaming.write("pyproject.toml", configured)

    alertmanager.process.kill()
    alertmanager.process.wait(30)
    (refusal,) = renaming.json("migrate", "contract", code=3)["refusals"]
    assert "pages is inconclusive: no answer from 127.0.0.1" in refusal["because"]
    assert "name" in renaming.columns("users")

    (renaming.folder / "pyproject.toml").unlink()
    renaming.ok("migrate", "contract")
