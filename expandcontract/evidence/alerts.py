"""
What monitoring knows: values of Prometheus, alerts of Alertmanager, whether an address is well.

Each reader asks once and answers, or raises `Unanswered`: silence is never taken for good news.
"""

from __future__ import annotations

import base64
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit, urlunsplit
from urllib.request import Request, urlopen

TIMEOUT = 3.0  # seconds
_LARGEST = 10_000_000  # bytes of an answer


class Unanswered(Exception):
    """There was no answer, or none that can be understood; says why, without a secret."""


@dataclass(frozen=True)
class Address:
    """
    Where to ask.

    Attributes:
        url: begins with http or https; a user and a password in it are sent as basic authentication.
        token_env: the environment variable that has a bearer token.
    """

    url: str
    token_env: str | None = None

    def get(self, path: str = "", query: Sequence[tuple[str, str]] = ()) -> tuple[int, bytes]:
        """
        The status and the body of what is there.

        Raises:
            Unanswered: no connection, no answer in time, or the token isn't set.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https"):
            raise Unanswered(f"{parts.scheme or 'an address without a scheme'} isn't spoken here")
        place = urlunsplit(
            (parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/") + path, parts.query, "")
        )
        if query:
            place += ("&" if parts.query else "?") + urlencode(query)
        request = Request(place, headers=self._headers())  # noqa: S310  # the scheme is looked at above
        try:
            with urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                return int(answer.status), answer.read(_LARGEST)
        except HTTPError as error:
            return error.code, b""
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise Unanswered(f"no answer from {parts.hostname}: {reason}") from None

    def _headers(self) -> Mapping[str, str]:
        parts = urlsplit(self.url)
        headers = {"User-Agent": "expandcontract", "Accept": "application/json, */*"}
        if self.token_env:
            token = os.environ.get(self.token_env)
            if not token:
                raise Unanswered(f"{self.token_env}, which is to have the token, isn't set")
            headers["Authorization"] = f"Bearer {token}"
        elif parts.username:
            login = f"{parts.username}:{parts.password or ''}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
        return headers

    def json(self, path: str, query: Sequence[tuple[str, str]]) -> Any:
        """
        The document that is there.

        Raises:
            Unanswered: as `get`, or another status than 200, or no JSON.
        """
        status, body = self.get(path, query)
        host = urlsplit(self.url).hostname
        if status != 200:
            raise Unanswered(f"{host} answers with status {status}")
        try:
            return json.loads(body)
        except ValueError:
            raise Unanswered(f"{host} doesn't answer with JSON") from None


def prometheus_value(address: Address, query: str) -> float:
    """
    What an instant query gives now; of several series, the largest value.

    From https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries

    Raises:
        Unanswered: no answer, or no series: add ``or vector(0)`` where that is good news.
    """
    document = address.json("/api/v1/query", [("query", query)])
    try:
        data = document["data"]
        result = [{"value": data["result"]}] if data["resultType"] == "scalar" else data["result"]
        values = [float(series["value"][1]) for series in result]
    except (KeyError, TypeError, ValueError, IndexError):
        raise Unanswered("Prometheus gives no value for the query") from None
    known = [value for value in values if not math.isnan(value)]
    if not known:
        raise Unanswered("Prometheus has no series for the query")
    return max(known)


def firing_alerts(address: Address, matchers: Sequence[str]) -> list[str]:
    """
    The alerts that fire now, by their names, and are neither silenced nor inhibited.

    From https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml

    Args:
        address: of an Alertmanager.
        matchers: such as ``severity="critical"``; all must match.

    Raises:
        Unanswered: no answer.
    """
    state = [("active", "true"), ("silenced", "false"), ("inhibited", "false"), ("unprocessed", "false")]
    document = address.json("/api/v2/alerts", [*state, *(("filter", matcher) for matcher in matchers)])
    try:
        return [_alert(alert["labels"], alert["startsAt"]) for alert in document]
    except (KeyError, TypeError):
        raise Unanswered("Alertmanager's answer can't be understood") from None


def _alert(labels: Mapping[str, str], since: str) -> str:
    more = ", ".join(f"{name}={value}" for name, value in sorted(labels.items()) if name != "alertname")
    return f"alert {labels.get('alertname', 'without a name')} fires since {since}" + (f" ({more})" if more else "")


def unwell(address: Address) -> list[str]:
    """
    What is wrong with the address: nothing where it answers with 200 to 299, else its status.

    Raises:
        Unanswered: no answer.
    """
    status, _ = address.get()
    return [] if 200 <= status < 300 else [f"it answers with status {status}"]
