"""A backfill that real disturbances stop, one signal after the other, and that goes on after each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from expandcontract.backfill.health.latency import Latency
from expandcontract.backfill.health.query import Query
from expandcontract.backfill.health.signal import Scene, Unreadable
from expandcontract.domain.throttle import Limits
from tests.fixtures.filling import Filling
from tests.fixtures.monitoring import Monitoring, vector
from tests.fixtures.project import CREATE_USERS, AlembicProject, ProjectMaker, rename_name, until
from tests.fixtures.servers import Database

ROWS = 30_000
HEALTH = """\
[tool.expandcontract.health]
lock_waits = "stop 1"
oldest_snapshot = "stop 2s"
active_sessions = "stop 6"
latency = "stop 1s"
latency_query = "SELECT FROM probe"
dead_tuples = "stop 500%"

[tool.expandcontract.health.queries.jobs]
query = "SELECT waiting FROM jobs"
limits = "slow 10, stop 20"

[tool.expandcontract.health.prometheus.p99]
url = "{url}"
query = "p99"
limits = "stop 0.5"

[tool.expandcontract.health.alertmanager.pages]
url = "{url}"
matchers = ['severity="page"']

[tool.expandcontract.health.http.shop]
url = "{url}/shop"
"""
QUIET = {"/api/v1/query": vector("0.1"), "/api/v2/alerts": [], "/shop": "well"}


@dataclass
class Disturber:
    """Does to the database, and to what monitoring says of it, what others do."""

    project: AlembicProject
    monitoring: Monitoring

    @contextmanager
    def _busy(self, statement: str, *before: str, sessions: int = 1) -> Iterator[None]:
        """Sessions that are at a statement while the block lasts, which needn't end by itself."""
        with ExitStack() as stack:
            at_work = [stack.enter_context(self.project.connect(application_name="report")) for _ in range(sessions)]
            for connection in at_work:
                for each in before:
                    connection.execute(each.encode())
                connection.pgconn.send_query(statement.encode())
            try:
                yield
            finally:
                for connection in at_work:
                    connection.cancel()
                    connection.pgconn.get_result()
                    connection.close()

    def lock_waits(self) -> AbstractContextManager[None]:
        lock = "LOCK TABLE users IN SHARE UPDATE EXCLUSIVE MODE"  # two of these conflict, and no UPDATE with them
        return self._within(self.project.transaction(lock), self._busy(lock, "BEGIN"))

    def oldest_snapshot(self) -> AbstractContextManager[Any]:
        return self.project.transaction("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SELECT 1")

    def active_sessions(self) -> AbstractContextManager[None]:
        return self._busy("SELECT pg_sleep(600)", sessions=6)

    def latency(self) -> AbstractContextManager[Any]:
        return self.project.transaction("LOCK TABLE probe IN ACCESS EXCLUSIVE MODE")

    @contextmanager
    def dead_tuples(self) -> Iterator[None]:
        with self.project.transaction(
            "SET LOCAL ec.sync = 'off'",
            f"INSERT INTO users (name) SELECT 'dead' FROM generate_series(1, {6 * ROWS})",
        ):
            pass
        yield
        self.project.execute("VACUUM users")

    @contextmanager
    def queries_jobs(self) -> Iterator[None]:
        self.project.execute("UPDATE jobs SET waiting = 25")
        yield
        self.project.execute("UPDATE jobs SET waiting = 0")

    def prometheus_p99(self) -> AbstractContextManager[None]:
        return self._answering("/api/v1/query", vector("0.2", "0.7"))

    def alertmanager_pages(self) -> AbstractContextManager[None]:
        alert = {"labels": {"alertname": "Checkout", "severity": "page"}, "startsAt": "2026-11-21T09:30:00Z"}
        return self._answering("/api/v2/alerts", [alert])

    @contextmanager
    def http_shop(self) -> Iterator[None]:
        self.monitoring.paths.pop("/shop")
        self.monitoring.answers("", status=503)
        yield
        self.monitoring.paths["/shop"] = "well"

    @contextmanager
    def _answering(self, path: str, document: Any) -> Iterator[None]:
        self.monitoring.paths[path] = document
        yield
        self.monitoring.paths[path] = QUIET[path]

    @contextmanager
    def _within(self, outer: AbstractContextManager[Any], inner: AbstractContextManager[Any]) -> Iterator[None]:
        with outer, inner:
            yield


# By the signal's name: how it is disturbed, and what is said of it.
DISTURBANCES: dict[str, tuple[Callable[[Disturber], AbstractContextManager[Any]], str]] = {
    "lock_waits": (Disturber.lock_waits, "1 (stop from 1) session(s) wait, the longest for "),
    "oldest_snapshot": (Disturber.oldest_snapshot, "(the-reader) has had a snapshot for "),
    "active_sessions": (Disturber.active_sessions, "sessions that run a statement: "),
    "latency": (Disturber.latency, "the probe takes 2"),
    "dead_tuples": (Disturber.dead_tuples, "dead rows, of those alive: "),
    "queries.jobs": (Disturber.queries_jobs, "the query gives 25 (slow from 10, stop from 20)"),
    "prometheus.p99": (Disturber.prometheus_p99, "the answer is 0.7 (stop from 0.5)"),
    "alertmanager.pages": (Disturber.alertmanager_pages, "alert Checkout fires since 2026-11-21T09:30:00Z"),
    "http.shop": (Disturber.http_shop, "it answers with status 503"),
}


@pytest.fixture
def disturber(make_project: ProjectMaker, database: Database, monitoring: Monitoring) -> Disturber:
    """A change of a large table whose backfill waits, and which looks at everything."""
    project = make_project(database.superuser_dsn)  # who may see the sessions of others
    project.revision("0001", CREATE_USERS)
    project.revision("0002", rename_name(simply=True), after="0001")
    project.ok("migrate", "expand", "0001")
    project.execute(
        "ALTER TABLE users SET (autovacuum_enabled = off)",
        f"INSERT INTO users (name) SELECT 'user ' || i FROM generate_series(1, {ROWS}) i",
        "CREATE TABLE probe (n int)",
        "CREATE TABLE jobs AS SELECT 0 AS waiting",
    )
    project.ok("migrate", "expand")
    monitoring.paths |= QUIET
    project.write("pyproject.toml", HEALTH.format(url=monitoring.url))
    return Disturber(project, monitoring)


@pytest.mark.long
def test_each_signal_stops_it_with_its_reason_and_lets_it_go_on(disturber: Disturber) -> None:
    project = disturber.project
    running = project.start("backfill", "0002", "--rate", "200")

    def health() -> dict[str, Any]:
        assert running.is_running, running.end()
        shown = project.rows("SELECT stopped_by <> '{}', reason FROM ec.backfill_health WHERE looked_at IS NOT NULL")
        return dict(zip(("is_stopped", "reason"), shown[0], strict=True)) if shown else {}

    def moves() -> bool:
        return health().get("is_stopped") is False

    for signal, (disturb, words) in DISTURBANCES.items():
        until(moves, seconds=60, what=f"it moves before {signal}")
        with disturb(disturber):
            until(lambda: health().get("is_stopped"), seconds=60, what=f"{signal} stops it")
            (shown,) = project.json("backfill", "status", "0002")["backfills"]
            assert shown["health"]["is_stopped"]
            assert f"{signal}: " in shown["health"]["reason"]
            assert words in shown["health"]["reason"]
    until(moves, seconds=60, what="it moves again")
    project.ok("backfill", "set", "0002", "--rate", "max")
    ran = running.end()

    assert ran.code == 0, ran
    waits = [line for line in ran.stderr.splitlines() if " waiting: " in line]
    pauses = project.json("backfill", "report", "0002")["pauses"]
    for signal, (_, words) in DISTURBANCES.items():
        assert any(f"{signal}: " in line and words in line for line in waits), signal
        assert any(
            one["kind"] == "stop" and one["reason"].startswith(f"{signal}: ") and one["ended_at"] > one["began_at"]
            for one in pauses
        ), signal


def test_out_of_hours_it_waits_and_says_until_when(disturber: Disturber) -> None:
    project = disturber.project
    today = project.value("SELECT lower(to_char(now() AT TIME ZONE 'UTC', 'dy'))")
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    in_three_days = days[(days.index(today) + 3) % 7]

    closed = project.ec(
        "backfill", "0002", "--max-time", "3s", variables={"EC_HEALTH_HOURS": f"{in_three_days} 10:00-10:01"}
    )
    opened = project.ec("backfill", "0002", "--rate", "max", variables={"EC_HEALTH_HOURS": "00:00-24:00"})

    assert closed.code == 5
    assert f"waiting: hours: it runs only {in_three_days} 10:00-10:01 UTC; next from" in closed.stderr
    assert "work remains: backfill 0002: 0 of about" in closed.stdout
    assert opened.code == 0, opened


def test_a_probe_that_waits_for_a_lock_takes_as_long_as_it_waits(filling: Filling) -> None:
    """And isn't taken for one that can't be read."""
    filling.execute("CREATE TABLE things (id int)")
    signal = Latency(Limits(stop=1.0), "SELECT FROM things")
    with filling.open("holder") as holder, filling.open("looks") as looks:
        holder.execute("BEGIN")
        holder.execute("LOCK TABLE things IN ACCESS EXCLUSIVE MODE")
        for setting in ("lock_timeout", "statement_timeout"):
            looks.execute(f"SET {setting} = '1100ms'")
            (verdict,) = signal.look(Scene(looks, root=0))
            assert verdict.words.startswith("the probe takes 1"), setting
            looks.execute(f"SET {setting} = 0")


@pytest.mark.parametrize("query", ["SELECT 'NaN'::float8", "SELECT NULL", "SELECT 1, 2", "SELECT 1 WHERE false", ""])
def test_what_is_not_one_number_is_no_good_news(filling: Filling, query: str) -> None:
    with filling.open("looks") as looks, pytest.raises((Unreadable, psycopg.Error)):
        Query("queries.jobs", query, Limits(stop=1)).look(Scene(looks, root=0))
