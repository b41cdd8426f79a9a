"""A webhook: somebody is told of refusals, failures and closings, and whether they listen changes nothing."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlsplit

from expandcontract.colours.http_request import request, shown
from expandcontract.colours.source import Unanswered
from expandcontract.commands.side_by_side import side_by_side

PATIENCE = 3.0  # seconds; whoever waits for the command waits for this as well


def post(url: str, document: str, seconds: float = PATIENCE) -> str | None:
    """
    Send a JSON document. No redirect is followed.

    Args:
        url: begins with http or https; a user and a password in it are sent as basic authentication.
        document: free of secrets.
        seconds: after which nobody waits any longer.

    Returns:
        Why nobody has taken it, naming the host alone, since the path may be a secret; None where somebody has.
    """
    host = urlsplit(url).hostname or "nowhere"
    why_not = side_by_side({"webhook": partial(_posted, url, document, seconds)}, seconds)
    words = why_not.get("webhook", f"no answer within {seconds:g} s")
    return f"{host}: {words}" if words else None


def _posted(url: str, document: str, seconds: float) -> str:
    """Empty where it was taken."""
    try:
        request(url, seconds=seconds, headers={"Content-Type": "application/json"}, body=document.encode())
    except Unanswered as error:
        return str(error).partition(", a redirect to")[0].replace(f"{shown(url)}: ", "")
    except Exception as error:  # an address in a shape that nobody thought of, which must not be repeated
        return type(error).__name__
    return ""
