from __future__ import annotations

from typing import Any

import pytest

from expandcontract.backfill.health.catalogue import KINDS
from expandcontract.backfill.health.configuration import HealthSettings, Source, read_health, signals
from expandcontract.backfill.health.outside import Objection
from expandcontract.backfill.health.signal import Signal
from expandcontract.domain.throttle import Limits


def ask(source: Source) -> Signal:
    return Objection(f"{source.kind}.{source.name}", lambda: ())


def watched(settings: HealthSettings, ignored: tuple[str, ...] = ()) -> dict[str, bool]:
    return {one.signal.name: one.is_required for one in signals(settings, ask, ignored).signals}


def test_without_a_word_the_defaults_are_watched_and_none_is_required() -> None:
    settings, mistakes = read_health({}, {})

    assert mistakes == []
    assert watched(settings) == {name: False for name, kind in KINDS.items() if kind.default != "off"}
    assert {"replication_lag", "replication_delay", "standbys", "lock_waits"} <= watched(settings).keys()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_default_and_every_example_can_be_read(kind: Any) -> None:
    for text in {kind.default, kind.example} - {"off"}:
        assert kind.make(text).name == kind.name


def test_what_is_set_is_required_and_what_is_off_is_not_watched() -> None:
    settings, mistakes = read_health({"latency": "slow 50ms", "lock_waits": "off", "standbys": "r1"}, {})

    assert mistakes == []
    assert watched(settings)["latency"] is True
    assert watched(settings)["standbys"] is True
    assert "lock_waits" not in watched(settings)


def test_the_environment_goes_over_the_file() -> None:
    settings, mistakes = read_health({"wal_rate": "slow 1MB/s"}, {"EC_HEALTH_WAL_RATE": "slow 2MB/s"})

    assert mistakes == []
    assert settings.texts == {"wal_rate": "slow 2MB/s"}


def test_queries_and_sources() -> None:
    table = {
        "queries": {"jobs": {"query": "SELECT count(*) FROM jobs", "limits": "slow 1000"}},
        "prometheus": {"p99": {"url": "http://p:9090", "query": "x", "limits": "stop 0.5", "token_env": "TOKEN"}},
        "alertmanager": {"main": {"url": "https://a", "matchers": ['severity="page"']}},
        "http": {"shop": {"url": "https://shop/health"}},
        "ignored_standbys": "late, later",
    }

    settings, mistakes = read_health(table, {})

    assert mistakes == []
    assert settings.queries == {"jobs": ("SELECT count(*) FROM jobs", Limits(1000))}
    assert settings.sources[0] == Source("prometheus", "p99", "http://p:9090", "x", Limits(stop=0.5), (), "TOKEN")
    assert settings.sources[1].matchers == ('severity="page"',)
    assert settings.ignored_standbys == {"late", "later"}
    for name in ("queries.jobs", "prometheus.p99", "alertmanager.main", "http.shop"):
        assert watched(settings)[name] is True


def test_signals_can_be_left_out_by_name_or_altogether() -> None:
    settings, _ = read_health({"http": {"shop": {"url": "https://shop/"}}}, {})

    assert watched(settings).keys() - watched(settings, ("lock_waits", "http.shop")).keys() == {
        "lock_waits",
        "http.shop",
    }
    assert watched(settings, ("all",)) == {}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"replication": "slow 1MB"}, "health.replication is unknown"),
        ({"replication_lag": "1MB"}, "health.replication_lag: '1MB' are no limits"),
        ({"replication_lag": 5}, "must be a text"),
        ({"autovacuum": "never"}, "is none of slow, stop, off"),
        ({"standbys": "a,,b"}, "names no standbys"),
        ({"http": "https://x"}, "health.http must have a table for each name"),
        ({"http": {"x": {}}}, "health.http.x has no url"),
        ({"http": {"x": {"url": "ftp://x"}}}, "no address that begins with http"),
        ({"http": {"x": {"url": "http://x", "retries": 3}}}, "has an unknown key retries"),
        ({"http": {"x": {"url": 80}}}, "health.http.x has a url that is no text in quotation marks"),
        ({"alertmanager": {"x": {"url": "http://x", "matchers": "a=b"}}}, "has a matchers that is no list of texts"),
        ({"queries": {"x": {"query": "SELECT 1", "limits": "10"}}}, "health.queries.x: '10' are no limits"),
        ({"queries": {"x": {"query": "SELECT 1", "limits": 10}}}, "has a limits that is no text"),
        ({"queries": {"x": {"query": "SELECT 1"}}}, "health.queries.x has no limits"),
        ({"prometheus": {"x": {"url": "http://x", "limits": "stop 1"}}}, "health.prometheus.x has no query"),
        ({"replication_lag": "slow 2GB, stop 1GB"}, "stops before it slows down"),
        ({"replication_lag": "slow 1MB, slow 2MB"}, "health.replication_lag: 'slow 1MB, slow 2MB' are no limits"),
        ({"latency": "slow 50"}, "health.latency: '50' is"),
        ({"latency_query": "SELECT 1"}, "health.latency_query is never run without limits in health.latency"),
    ],
)
def test_a_mistake_is_told_with_its_place(table: dict[str, Any], words: str) -> None:
    _, mistakes = read_health(table, {})

    assert len(mistakes) == 1
    assert words in mistakes[0]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"EC_HEALTH_LATENCY": "50ms"}, "EC_HEALTH_LATENCY: '50ms' are no limits"),
        ({"EC_HEALTH_REPLICATION": "slow 1MB"}, "EC_HEALTH_REPLICATION is unknown"),
        ({"EC_HEALTH_HTTP": "https://shop"}, "EC_HEALTH_HTTP is unknown"),
    ],
)
def test_a_mistake_in_a_variable_is_told_by_its_name(variables: dict[str, str], words: str) -> None:
    _, mistakes = read_health({}, variables)

    assert len(mistakes) == 1
    assert mistakes[0].startswith(words)


def test_all_mistakes_are_told_at_once() -> None:
    _, mistakes = read_health({"lag": "x", "hours": "never", "http": {"a": {}}}, {"EC_HEALTH_STANDBYS": ","})

    assert len(mistakes) == 4
