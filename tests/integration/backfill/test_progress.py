"""What people and monitoring see of a backfill while health signals slow it down, through the command line."""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from html.parser import HTMLParser
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.fixtures.project import CREATE_USERS, AlembicProject, Running, rename_name, until

ROWS = 5000
HEALTH = """\
[tool.expandcontract.health.queries.load]
query = "SELECT n FROM load"
limits = "slow 10, stop 20"
"""


@pytest.fixture
def users(project: AlembicProject) -> AlembicProject:
    """5,000 users to rename, and a table that says how loaded the database is."""
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    project.execute(
        f"INSERT INTO users (name) SELECT 'user ' || i FROM generate_series(1, {ROWS}) i",
        "CREATE TABLE load AS SELECT 0 AS n",
    )
    project.write("pyproject.toml", HEALTH)
    project.revision("0002", rename_name(simply=True), after="0001", title="rename <users.name>")
    project.ok("migrate", "expand")
    return project


def put_load(project: AlembicProject, load: int) -> None:
    project.execute(f"UPDATE load SET n = {load}")


def health(project: AlembicProject) -> Any:
    return project.json("backfill", "status", "0002")["backfills"][0]["health"]


def stopped(project: AlembicProject, *arguments: str) -> Running:
    """A backfill that moves rows, and is then stopped by its load."""
    running = project.start("backfill", "0002", "--rate", "1000", *arguments)
    count = "SELECT COALESCE(sum(rows_seen), 0) FROM ec.backfill_range WHERE state = 'done'"
    until(lambda: project.value(count) > 0 or not running.is_running, what="it moves")
    put_load(project, 30)
    until(lambda: (health(project) or {}).get("is_stopped"), what="it is stopped")
    return running


def finish(project: AlembicProject, running: Running) -> Any:
    put_load(project, 0)
    project.ok("backfill", "set", "0002", "--rate", "max")
    ran = running.end()
    assert ran.code == 0, ran
    return ran


class Page(HTMLParser):
    """What of a page can be looked at without a browser."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count: dict[str, int] = {}
        self.words: list[str] = []
        self.loads: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "line"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_a_stop_is_told_everywhere_and_kept_for_the_report(users: AlembicProject) -> None:
    reason = "queries.load: the query gives 30 (slow from 10, stop from 20)"
    running = stopped(users, "--json")

    assert health(users) == {"share": 0.5, "is_stopped": True, "reason": reason}
    assert f"stopped by {reason}" in users.ok("backfill", "status", "0002").stdout
    users.ok("backfill", "pause", "0002", "--reason", "lunch")
    users.ok("backfill", "resume", "0002")
    ran = finish(users, running)

    events = [json.loads(line) for line in ran.stderr.splitlines()]
    told = [event["progress"] for event in events if event["event"] == "progress"]
    assert any(one["is_waiting"] and one["reason"] == reason for one in told)
    assert told[-1]["rows"] == ROWS
    report = users.json("backfill", "report", "0002")
    kinds = {one["kind"]: one for one in report["pauses"]}
    assert kinds["stop"]["reason"] == reason
    assert kinds["stop"]["began_at"] < kinds["stop"]["ended_at"]
    assert kinds["pause"]["reason"] == "paused by ada: lunch"
    assert sum(one["rows_per_second"] for one in report["slices"]) * report["slice_seconds"] == pytest.approx(
        ROWS, 0.01
    )

    users.ok("backfill", "report", "0002", "--output", "report.html")
    text = (users.folder / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert page.loads == []  # nothing comes from elsewhere
    assert page.count["svg"] == 2
    assert page.count["tr"] == 1 + len(report["pauses"])
    assert reason in page.words
    assert "Backfill 0002: rename <users.name>" in page.words
    assert users.ok("backfill", "report", "0002", "--output", "-").stdout.startswith("<!doctype html>")
    refused = users.ec("backfill", "report", "0002", "--output", "missing/report.html")
    assert refused.code == 2
    assert "missing/report.html can't be written" in refused.stderr


def test_lines_say_why_it_waits(users: AlembicProject) -> None:
    ran = finish(users, stopped(users))

    assert "waiting: queries.load: the query gives 30" in ran.stderr


@contextmanager
def on_a_terminal(project: AlembicProject, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], list[str]]]:
    """`ec` with a terminal to write its conversation to, and what it has shown there so far."""
    ours, theirs = pty.openpty()
    shown: list[str] = []

    def read() -> None:
        with suppress(OSError):  # nobody has the other end any more
            while piece := os.read(ours, 4096):
                shown.append(piece.decode(errors="replace"))

    process = subprocess.Popen(
        [sys.executable, "-m", "expandcontract", *arguments],
        cwd=project.folder,
        env=project.environment({"TERM": "xterm", "COLUMNS": "250"}),
        stdin=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    reading = threading.Thread(target=read)
    reading.start()
    try:
        yield process, shown
    finally:
        process.kill()
        process.wait()
        reading.join()
        os.close(ours)


def test_a_terminal_has_a_bar_with_rows_rate_reason_and_the_time_that_is_left(users: AlembicProject) -> None:
    with on_a_terminal(users, "backfill", "0002", "--rate", "1000") as (process, shown):
        until(lambda: " rows/s" in "".join(shown), what="it moves")
        put_load(users, 30)
        until(lambda: "waiting: queries.load: the query gives 30 (slow from 10" in "".join(shown), what="it says why")
        put_load(users, 0)
        users.ok("backfill", "set", "0002", "--rate", "max")
        assert process.wait(90) == 0

    text = "".join(shown)
    assert "━" in text
    assert re.search(rf"{ROWS}/{ROWS}", text)
    assert re.search(r"[0-9]:[0-9]{2}:[0-9]{2}", text)


def test_a_signal_can_be_ignored_by_name(users: AlembicProject) -> None:
    put_load(users, 30)

    users.ok("backfill", "0002", "--rate", "max", "--ignore", "queries.load")
    refused = users.ec("backfill", "0002", "--ignore", "lod")

    assert refused.code == 2
    assert "there is no health signal lod" in refused.stderr
    assert "queries.load" in refused.stderr


def test_a_configuration_that_cannot_be_used_is_told_with_its_place(users: AlembicProject) -> None:
    users.write("pyproject.toml", '[tool.expandcontract.health]\nlatency = "50ms"\n')

    refused = users.ec("backfill", "0002", variables={"EC_HEALTH_HOURS": "always"})

    assert refused.code == 2
    assert "pyproject.toml: health.latency: '50ms' are no limits" in refused.stderr
    assert "EC_HEALTH_HOURS: 'always' are no hours" in refused.stderr


def test_metrics_tell_how_far_it_is_and_that_it_waits(users: AlembicProject) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = stopped(users, "--metrics-port", str(port))

    def metrics() -> dict[str, float]:
        try:
            with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                lines = answer.read().decode().splitlines()
        except URLError:
            return {}
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}

    waiting = until(lambda: found if (found := metrics()).get('ec_backfill_waiting{revision="0002"}') else None)
    assert waiting['ec_backfill_speed_share{revision="0002"}'] == pytest.approx(0.5, abs=0.5)
    assert 0 < waiting['ec_backfill_rows{revision="0002"}'] < ROWS
    assert waiting['ec_backfill_rows_expected{revision="0002"}'] > 0
    finish(users, running)
