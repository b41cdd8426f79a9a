"""What a user has set in ``[tool.expandcontract.health]`` and in ``EC_HEALTH_*``, and the signals that it means."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from expandcontract.backfill.health.catalogue import KINDS
from expandcontract.backfill.health.latency import NAME as LATENCY
from expandcontract.backfill.health.latency import Latency
from expandcontract.backfill.health.outside import InBackground
from expandcontract.backfill.health.query import Query
from expandcontract.backfill.health.signal import Signal
from expandcontract.backfill.health.watch import Watched, What
from expandcontract.domain.quantity import NUMBER, SECONDS, parse_limits
from expandcontract.domain.throttle import Limits

OFF = "off"
ALL = "all"
_VARIABLE = "EC_HEALTH_"
QUERIES = "queries"
LATENCY_QUERY = "latency_query"
IGNORED_STANDBYS = "ignored_standbys"
MATCHERS = "matchers"
# What each table of sources outside must and may have. Names of tokens, never tokens: pyproject.toml is no secret.
SOURCES: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "prometheus": (frozenset(("url", "query", "limits")), frozenset(("token_env",))),
    "alertmanager": (frozenset(("url",)), frozenset((MATCHERS, "token_env"))),
    "http": (frozenset(("url",)), frozenset(("token_env",))),
}


@dataclass(frozen=True)
class Source:
    """
    Somebody outside the database who is asked.

    ``kind`` is prometheus, alertmanager or http; ``name`` tells it from others of its kind. ``token_env`` is the
    environment variable that has its bearer token.
    """

    kind: str
    name: str
    url: str
    query: str = ""
    limits: Limits = field(default_factory=Limits)
    matchers: tuple[str, ...] = ()
    token_env: str | None = None


@dataclass(frozen=True)
class HealthSettings:
    """
    What is to be looked at.

    Attributes:
        texts: the value of each signal that somebody has set, by its key.
        queries: name → query and its limits.
        sources: those outside the database.
        latency_query: the probe.
        ignored_standbys: those that don't count.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    queries: Mapping[str, tuple[str, Limits]] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    latency_query: str | None = None
    ignored_standbys: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Every signal that can be left out by name."""
        named = {f"{QUERIES}.{name}" for name in self.queries}
        return frozenset({*KINDS, *named, *(f"{source.kind}.{source.name}" for source in self.sources)})


def read_health(table: Mapping[str, Any], variables: Mapping[str, str]) -> tuple[HealthSettings, list[str]]:
    """
    The settings of the table, under what the environment says, and every mistake in them with its place.

    Args:
        table: ``[tool.expandcontract.health]``.
        variables: the environment.
    """
    reader = _Reader(table, variables)
    return reader.settings(), reader.mistakes


class _Reader:
    def __init__(self, table: Mapping[str, Any], variables: Mapping[str, str]) -> None:
        self._table = table
        self._variables = variables
        self.mistakes: list[str] = []

    def settings(self) -> HealthSettings:
        texts = {*KINDS, LATENCY_QUERY, IGNORED_STANDBYS}
        self._name_unknown("health.", self._table, {*texts, *SOURCES, QUERIES})
        variables = [name for name in self._variables if name.startswith(_VARIABLE)]
        self._name_unknown("", variables, {_VARIABLE + name.upper() for name in texts})
        of_kinds = {kind: text for kind in KINDS if (text := self._text(kind, KINDS[kind].make)) is not None}
        latency_query = self._text(LATENCY_QUERY, str)
        if latency_query is not None and of_kinds.get(LATENCY, OFF) == OFF:
            self.mistakes.append(f"health.{LATENCY_QUERY} is never run without limits in health.{LATENCY}")
        ignored = self._text(IGNORED_STANDBYS, str) or ""
        return HealthSettings(
            of_kinds,
            dict(self._queries()),
            tuple(self._sources()),
            latency_query,
            frozenset(name.strip() for name in ignored.split(",") if name.strip()),
        )

    def _name_unknown(self, place: str, names: Iterable[str], known: Collection[str]) -> None:
        unknown = [name for name in names if name not in known]
        self.mistakes += [f"{place}{name} is unknown; there are {', '.join(sorted(known))}" for name in unknown]

    def _text(self, name: str, check: Callable[[str], object]) -> str | None:
        variable = _VARIABLE + name.upper()
        place, value = f"health.{name}", self._table.get(name)
        if variable in self._variables:
            place, value = variable, self._variables[variable]
        if value is None:
            return None
        if not isinstance(value, str):
            self.mistakes.append(f"{place}: {value!r} must be a text in quotation marks")
            return None
        try:
            if value != OFF:
                check(value)
        except ValueError as error:
            self.mistakes.append(f"{place}: {error}")
        return value

    def _queries(self) -> Iterator[tuple[str, tuple[str, Limits]]]:
        for name, given in self._tables(QUERIES, frozenset(("query", "limits")), frozenset()):
            limits = self._limits(f"health.{QUERIES}.{name}", given["limits"])
            if limits is not None:
                yield name, (given["query"], limits)

    def _sources(self) -> Iterator[Source]:
        for kind, (needed, allowed) in SOURCES.items():
            for name, given in self._tables(kind, needed, allowed):
                place = f"health.{kind}.{name}"
                if urlsplit(given["url"]).scheme not in ("http", "https"):
                    self.mistakes.append(f"{place}: {given['url']!r} is no address that begins with http or https")
                limits = self._limits(place, given["limits"]) if "limits" in given else None
                yield Source(
                    kind,
                    name,
                    given["url"],
                    given.get("query", ""),
                    limits or Limits(),
                    tuple(given.get(MATCHERS, ())),
                    given.get("token_env"),
                )

    def _tables(
        self, key: str, needed: frozenset[str], allowed: frozenset[str]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        tables = self._table.get(key, {})
        if not isinstance(tables, dict) or not all(isinstance(given, dict) for given in tables.values()):
            self.mistakes.append(f"health.{key} must have a table for each name, such as [health.{key}.orders]")
            return
        for name, given in tables.items():
            wrong = [f"has no {key}" for key in sorted(needed - given.keys())]
            wrong += [f"has an unknown key {key}" for key in sorted(given.keys() - needed - allowed)]
            known = given.keys() & (needed | allowed)
            wrong += [f"has a {key} that is no {_fitting(key)}" for key in sorted(known) if not _fits(key, given[key])]
            self.mistakes += [f"health.{key}.{name} {words}" for words in wrong]
            if not wrong:
                yield name, given

    def _limits(self, place: str, text: str) -> Limits | None:
        try:
            return parse_limits(text, NUMBER)
        except ValueError as error:
            self.mistakes.append(f"{place}: {error}")
            return None


def _fits(key: str, value: object) -> bool:
    if key == MATCHERS:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return isinstance(value, str)


def _fitting(key: str) -> str:
    return "list of texts" if key == MATCHERS else "text in quotation marks"


def signals(settings: HealthSettings, ask: Callable[[Source], Signal], ignored: Collection[str] = ()) -> What:
    """
    The signals that the settings mean, each made anew: they remember what they saw.

    A signal that somebody has set by name is required: where it can't be read, the backfill stands still.

    Args:
        settings: the settings.
        ask: how a source outside is asked.
        ignored: names of signals to leave out, or `ALL`.
    """
    if ALL in ignored:
        return What(())
    found = [
        Watched(_of_kind(name, text, settings), name in settings.texts)
        for name, kind in KINDS.items()
        if (text := settings.texts.get(name, kind.default)) != OFF
    ]
    found += [Watched(Query(f"{QUERIES}.{name}", *query), True) for name, query in settings.queries.items()]
    found += [Watched(InBackground(ask(source)), True) for source in settings.sources]
    return What(tuple(watched for watched in found if watched.signal.name not in ignored), settings.ignored_standbys)


def _of_kind(name: str, text: str, settings: HealthSettings) -> Signal:
    if name == LATENCY and settings.latency_query:
        return Latency(parse_limits(text, SECONDS), settings.latency_query)
    return KINDS[name].make(text)
