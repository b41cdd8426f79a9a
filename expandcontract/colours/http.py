"""An address that answers with the colour: as text, in a header, or somewhere in a JSON document."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from expandcontract.colours.http_request import check_address, request, shown, token_header
from expandcontract.colours.source import Answer, Scene, Unanswered
from expandcontract.colours.words import weights_in, weights_of


@dataclass(frozen=True)
class Http:
    """Without pointer and header, the whole body is the answer."""

    url: str  # begins with http or https; a user and a password in it are sent as basic authentication
    pointer: str | None = None  # a JSON pointer (RFC 6901) into the document, such as /router/live
    header: str | None = None  # the response header that has it
    body: str | None = None  # is sent by POST; without one it is a GET
    base64: bool = False  # the value at the pointer is in base64, as etcd has it
    token_env: str | None = None  # the environment variable that has a bearer token
    auth_header: str = "Authorization"  # where the token goes; in another header it stands alone

    def __post_init__(self) -> None:
        check_address(self.url)
        if self.pointer is not None and self.header is not None:
            raise ValueError("has a pointer and a header, and only one can have the answer")
        if self.pointer is not None and not self.pointer.startswith("/"):
            raise ValueError(f"pointer: {self.pointer!r} doesn't begin with /")

    def ask(self, scene: Scene) -> Answer:
        """See `Source.ask`."""
        headers = {"Accept": "application/json, text/plain, */*", **token_header(self.token_env, self.auth_header)}
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        sent = None if self.body is None else self.body.encode()
        response = request(self.url, seconds=scene.seconds, headers=headers, body=sent)
        if self.header is not None:
            value = response.headers.get(self.header)
            if value is None:
                raise Unanswered(f"nothing: {shown(self.url)} answers without the header {self.header}")
            return Answer(weights_in(value), f"{self.header}: {value}")
        text = response.body.decode("utf-8", "replace")
        if self.pointer is None:
            return Answer(weights_in(text), f"{' '.join(text.split())[:80]!r} at {shown(self.url)}")
        found = _decoded(at_pointer(text, self.pointer)) if self.base64 else at_pointer(text, self.pointer)
        weights = weights_of(found)
        return Answer(weights, f"{json.dumps(found)} at {self.pointer} of {shown(self.url)}")


def at_pointer(text: str, pointer: str) -> object:
    """
    The value in a JSON document at a pointer, https://www.rfc-editor.org/rfc/rfc6901

    Raises:
        Unanswered: no JSON, or nothing there.
    """
    try:
        value: object = json.loads(text)
    except ValueError:
        raise Unanswered("something that is no JSON") from None
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isascii() and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            raise Unanswered(f"a document without {pointer}")
    return value


def _decoded(value: object) -> object:
    try:
        return base64.b64decode(str(value), validate=True).decode("utf-8")
    except ValueError:
        raise Unanswered(f"{value!r}, which is no text in base64") from None
