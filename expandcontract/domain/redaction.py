"""
No password reaches a screen, a log, a file or the ledger: every text that leaves `ec` passes here.

Two nets, since each has holes: what looks like a secret by its surroundings, and what is known to be one.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from urllib.parse import unquote

MASK = "***"

# the colon may be what is wrong with it
_IN_URL = re.compile(r"(?P<start>\w:?//[^\s:/@]*:)[^\s]*@")
_AS_PARAMETER = re.compile(r"(?P<start>\b(?:ssl)?password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&]+)", re.IGNORECASE)
_IN_SQL = re.compile(r"(?P<start>\bpassword\s+)(?:E?'(?:[^'\\]|''|\\.)*'?|\$\w*\$.*?(?:\$\w*\$|$))", re.IGNORECASE)
# A password with an unescaped @ ends up before the host's name, which the resolver then repeats.
_IN_HOST = re.compile(r"(?P<start>\bhost(?: name)? ['\"])[^'\"]*@", re.IGNORECASE)
_PARAMETERS = re.compile(r"^\[parameters: .*\]$|^DETAIL: .*$", re.MULTILINE)

_URL = re.compile(r"\w+:?//(?P<login>.*)@")
_PASSWORD_VARIABLE = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN)$")
_HOST = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:[0-9]*)?")
_SHORTEST = 4  # what is shorter stands in too many words to be masked, and is no secret either


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` with the passwords of URLs, of connection strings and of SQL masked, and each of the secrets known."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    for pattern, replacement in (
        (_IN_URL, rf"\g<start>{MASK}@"),
        (_IN_HOST, rf"\g<start>{MASK}@"),
        (_AS_PARAMETER, rf"\g<start>{MASK}"),
        (_IN_SQL, rf"\g<start>'{MASK}'"),
    ):
        text = pattern.sub(replacement, text)
    return text


def without_values(text: str) -> str:
    """A traceback without the lines that hold values of rows: bound parameters, and the server's DETAIL."""
    return _PARAMETERS.sub(f"[{MASK}]", text)


def secrets_in(environment: Mapping[str, str]) -> tuple[str, ...]:
    """
    The passwords that a process was given by its environment, also in pieces as a parser would cut them; longest first.

    One that is the name of its user is no secret, and masking it would spoil every message about that user.
    """
    found: set[str] = set()
    for name, value in environment.items():
        if _PASSWORD_VARIABLE.search(name.upper()):
            found.add(value)
        if url := _URL.match(value):
            user, _, password = url["login"].partition(":")
            found.update(piece for piece in _pieces(password) if piece != user)
    return _longest_first(found)


def secrets_of(options: object, environment: Mapping[str, str]) -> tuple[str, ...]:
    """
    What somebody who is asked may send back, and nobody shall read: the secrets that he was configured with.

    Args:
        options: a dataclass; its fields may be addresses with a login or a query, or name a variable (``…_env``).
        environment: that has the variables.
    """
    found = set(secrets_in(environment))
    for one in fields(options):  # type: ignore[arg-type]
        value = getattr(options, one.name)
        if isinstance(value, str) and one.name.endswith("_env"):
            value = environment.get(value, "")
            found.update(_pieces(value) if "//" not in value else ())
        if isinstance(value, str) and "//" in value:
            found.update(_of_address(value))
    return _longest_first(found)


def _of_address(url: str) -> Iterator[str]:
    login, at, place = url.partition("//")[2].rpartition("@")
    if at:
        yield from _pieces(login.partition(":")[2])
        yield b64encode(unquote(login).encode()).decode()
    for parameter in place.partition("?")[2].split("&"):
        yield from _pieces(parameter.partition("=")[2])


def _longest_first(secrets: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({one for one in secrets if len(one) >= _SHORTEST}, key=len, reverse=True))


def _pieces(password: str) -> Iterator[str]:
    """As it may be repeated: decoded, cut by a parser, with quotes and backslashes doubled."""
    for written in {password, unquote(password)}:
        yield written
        yield from re.split(r"[@/?#:&\s\\'\"]", written)


def misread(url: str) -> str | None:
    """Why a parser would take a part of a URL's login for its host or port, and repeat it; None where it wouldn't."""
    _, scheme, rest = url.partition("://")
    login, at, place = rest.rpartition("@")
    if at and (re.search(r"[@/?#]", login) or "@" in place):
        return "in its user or its password, @ must be written %40, / is %2F, ? is %3F and # is %23"
    hosts = re.split(r"[/?#]", place, maxsplit=1)[0] if scheme else ""
    if not all(_HOST.fullmatch(host) for host in hosts.split(",")):
        return "what follows the last colon of its host is no port"
    return None
