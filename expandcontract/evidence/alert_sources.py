"""
What may object to a contract or a switch: alerts, a query with bounds, an address, a command of one's own.

A kind is a frozen dataclass whose fields are its options. Silence is never taken for good news: what can't be read is
inconclusive, and that refuses as an alert does.
"""

from __future__ import annotations

import math
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import urlsplit

from expandcontract.domain.evidence import Alert, Verdict
from expandcontract.domain.options import made_from
from expandcontract.domain.redaction import redact, secrets_of
from expandcontract.evidence.alerts import Address, Unanswered, unwell

_SHOWN = 3  # objections in one sentence


class AlertSource(Protocol):
    """Somebody who may object."""

    def objections(self, seconds: float) -> Sequence[str]:
        """
        What speaks against it just now; empty where nothing does.

        Raises:
            Unanswered: nobody knows.
        """


@dataclass(frozen=True)
class Alertmanager:
    """Alerts that match and aren't resolved. https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml"""

    url: str  # of one Alertmanager; give each of a cluster a table of its own
    matchers: tuple[str, ...] = ('severity="page"',)  # all must match
    silenced: bool = True  # silenced and inhibited alerts object as well
    heartbeat: str | None = None  # a matcher of an alert that must fire always, or nobody is sending any
    token_env: str | None = None  # the environment variable that has a bearer token

    def __post_init__(self) -> None:
        _check_address(self.url)

    def objections(self, seconds: float) -> Sequence[str]:
        """See `AlertSource.objections`."""
        address = Address(self.url, self.token_env)
        if self._at(address.json("/api/v2/status", []), "cluster", "status") == "settling":
            raise Unanswered("Alertmanager has just begun, and its cluster is still settling")
        if self.heartbeat is not None and not self._alerts(address, (self.heartbeat,)):
            raise Unanswered(f"the heartbeat {self.heartbeat} is missing, so nobody is sending alerts")
        return [words for alert in self._alerts(address, self.matchers) if (words := self._objection(alert))]

    def _alerts(self, address: Address, matchers: Sequence[str]) -> list[Any]:
        found = address.json("/api/v2/alerts", [("filter", matcher) for matcher in matchers])
        if not isinstance(found, list):
            raise Unanswered("Alertmanager's answer is no list of alerts")
        return found

    def _objection(self, alert: object) -> str | None:
        state, name = self._at(alert, "status", "state"), self._at(alert, "labels", "alertname")
        if state == "suppressed" and not self.silenced:
            return None
        kind = "silenced or inhibited alert" if state == "suppressed" else "alert"
        return f"{kind} {name} since {self._at(alert, 'startsAt')}"

    @staticmethod
    def _at(value: object, *path: str) -> object:
        for key in path:
            if not isinstance(value, Mapping) or key not in value:
                raise Unanswered(f"Alertmanager's answer has no {key}")
            value = value[key]
        return value


@dataclass(frozen=True)
class Prometheus:
    """
    A query that yields numbers, each of which must lie within the bounds. Don't compare in the query: there, nothing
    to see and no data look alike. https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
    """

    url: str  # of a Prometheus
    query: str  # in PromQL
    below: float | None = None  # every value must be less
    above: float | None = None  # every value must be more
    token_env: str | None = None  # the environment variable that has a bearer token

    def __post_init__(self) -> None:
        _check_address(self.url)
        if self.below is None and self.above is None:
            raise ValueError("needs below or above, or both")

    def objections(self, seconds: float) -> Sequence[str]:
        """See `AlertSource.objections`."""
        document = Address(self.url, self.token_env).json("/api/v1/query", [("query", self.query)])
        if document.get("warnings"):
            raise Unanswered(f"Prometheus has only a part of the data: {document['warnings']}")
        try:
            data = document["data"]
            series = [{"metric": {}, "value": data["result"]}] if data["resultType"] == "scalar" else data["result"]
            values = [(one["metric"], float(one["value"][1])) for one in series]
        except (KeyError, TypeError, ValueError, IndexError):
            raise Unanswered("Prometheus gives no numbers for the query") from None
        if not values:
            raise Unanswered("Prometheus has no series for the query")
        if not all(math.isfinite(value) for _, value in values):
            raise Unanswered("Prometheus gives a value that is no finite number")
        return [self._said(labels, value) for labels, value in values if not self._is_within(value)]

    def _is_within(self, value: float) -> bool:
        return (self.below is None or value < self.below) and (self.above is None or value > self.above)

    def _said(self, labels: Mapping[str, str], value: float) -> str:
        bounds = [
            f"{word} {bound:g}" for word, bound in (("below", self.below), ("above", self.above)) if bound is not None
        ]
        where = f" for {', '.join(f'{name}={word}' for name, word in sorted(labels.items()))}" if labels else ""
        return f"{value:g}{where}, which must be {' and '.join(bounds)}"


@dataclass(frozen=True)
class HttpCheck:
    """An address that must answer with 200 to 299."""

    url: str  # a user and a password in it are sent as basic authentication
    token_env: str | None = None  # the environment variable that has a bearer token

    def __post_init__(self) -> None:
        _check_address(self.url)

    def objections(self, seconds: float) -> Sequence[str]:
        """See `AlertSource.objections`."""
        return unwell(Address(self.url, self.token_env))


@dataclass(frozen=True)
class CommandCheck:
    """A command, run without a shell: 0 is clear, 1 objects with what it prints, everything else is inconclusive."""

    argv: tuple[str, ...]  # the program and its arguments

    def objections(self, seconds: float) -> Sequence[str]:
        """See `AlertSource.objections`."""
        program = self.argv[0]
        try:
            done = subprocess.run(  # noqa: S603  # what the configuration names, and no shell
                list(self.argv),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=seconds,
                text=True,
                errors="replace",
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Unanswered(f"{program} didn't end within {seconds:g} s") from None
        except OSError as error:
            raise Unanswered(f"{program} can't be run: {error.strerror}") from None
        words = " ".join(f"{done.stdout} {done.stderr}".split())[:300]
        if done.returncode not in (0, 1):
            raise Unanswered(f"{program} ended with status {done.returncode}{words and f': {words}'}")
        return [words or f"{program} says no"] if done.returncode else []


KINDS: Mapping[str, type[Any]] = {
    "alertmanager": Alertmanager,
    "prometheus": Prometheus,
    "http": HttpCheck,
    "command": CommandCheck,
}


@dataclass(frozen=True)
class NamedAlert:
    """A configured source with its name."""

    name: str
    source: AlertSource

    def ask(self, seconds: float) -> Alert:
        """What it says; one that can't be read is inconclusive. It repeats no secret."""
        said = self._ask(seconds)
        return replace(said, said=redact(said.said, secrets_of(self.source, os.environ)))

    def _ask(self, seconds: float) -> Alert:
        try:
            found = self.source.objections(seconds)
        except Unanswered as error:
            return Alert(self.name, Verdict.INCONCLUSIVE, str(error))
        except Exception as error:  # an answer in a shape that nobody thought of
            return Alert(self.name, Verdict.INCONCLUSIVE, f"{type(error).__name__}: {error}")
        if not found:
            return Alert(self.name, Verdict.CLEAR, "nothing")
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        return Alert(self.name, Verdict.SEEN, "; ".join(found[:_SHOWN]) + more)


def read_alert_sources(table: object) -> tuple[tuple[NamedAlert, ...], list[str]]:
    """The sources in ``[tool.expandcontract.alerts]``, and every mistake with its place."""
    if not isinstance(table, Mapping):
        return (), ["alerts must be a table"]
    found, mistakes = [], []
    for name, options in table.items():
        try:
            found.append(NamedAlert(name, _source(options)))
        except ValueError as error:
            mistakes.append(f"alerts.{name}: {error}")
    return tuple(found), mistakes


def _source(options: object) -> AlertSource:
    if not isinstance(options, Mapping):
        raise ValueError("must be a table, such as [tool.expandcontract.alerts.pages]")
    kind = options.get("source")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"source is {kind!r}; there are {', '.join(KINDS)}")
    own = {key: value for key, value in options.items() if key != "source"}
    made: AlertSource = made_from(KINDS[kind], own)
    return made


def _check_address(url: str) -> None:
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("url: is no address that begins with http or https")
