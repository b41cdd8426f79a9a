"""One HTTP request for a colour source: no redirect is followed, and no secret is shown."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from expandcontract.colours.source import Unanswered

_LARGEST = 1_000_000  # bytes of an answer


@dataclass(frozen=True)
class Response:
    """The body and the headers of an answer with a status from 200 to 299."""

    body: bytes
    headers: HTTPMessage


class _NoRedirect(HTTPRedirectHandler):
    """A log-in page behind a redirect answers 200 to everything."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        return None


def check_address(url: str) -> None:
    """
    Check that this is an address that can be asked.

    Raises:
        ValueError: it isn't.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"url: {shown(url)!r} is no address that begins with http or https")


def shown(url: str) -> str:
    """The address without a user, a password and a query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def token_header(variable: str | None, name: str) -> Mapping[str, str]:
    """
    The header with the token in that environment variable; none where there is no variable.

    Raises:
        Unanswered: it isn't set.
    """
    if variable is None:
        return {}
    token = os.environ.get(variable)
    if not token:
        raise Unanswered(f"nothing: {variable}, which is to have the token, isn't set")
    return {name: f"Bearer {token}" if name == "Authorization" else token}


def request(url: str, *, seconds: float, headers: Mapping[str, str], body: bytes | None = None) -> Response:
    """
    What is at the address: GET, or POST with a body. Always over a connection of its own.

    Raises:
        Unanswered: no connection, no answer in time, a redirect, or another status than 200 to 299.
    """
    parts = urlsplit(url)
    place = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))
    sent: dict[str, Any] = {"User-Agent": "expandcontract", "Cache-Control": "no-cache", **_login(url), **headers}
    asked = Request(place, data=body, headers=sent)  # noqa: S310  # `check_address` has looked at the scheme
    try:
        with build_opener(_NoRedirect).open(asked, timeout=seconds) as answer:
            return Response(answer.read(_LARGEST), answer.headers)
    except HTTPError as error:
        with error:
            to = error.headers.get("Location") if 300 <= error.code < 400 else None
        raise Unanswered(f"status {error.code}{f', a redirect to {shown(to)}' if to else ''}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise Unanswered(f"nothing: {shown(url)}: {getattr(error, 'reason', None) or error}") from None


def _login(url: str) -> Mapping[str, str]:
    parts = urlsplit(url)
    if not parts.username:
        return {}
    login = base64.b64encode(f"{parts.username}:{parts.password or ''}".encode()).decode()
    return {"Authorization": f"Basic {login}"}
