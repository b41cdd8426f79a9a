"""
How a session says to which release it belongs: in its ``application_name``, which every other session can see.

``shop colour=green release=42``. PostgreSQL cuts the name at 63 bytes, so a release that doesn't fit stands there as
a digest, which the ledger's releases are compared with.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

LONGEST = 63  # bytes; NAMEDATALEN - 1
_COLOUR_BYTES = 20
_MARK = re.compile(r"(?:^| )colour=(\S*) release=(.+)$")


def marked(application_name: str, colour: str, release: str) -> str:
    """The name of an application with its mark, 63 bytes at most; the mark goes before the application's own name."""
    short_colour = _cut(re.sub(r"\s", "_", colour), _COLOUR_BYTES)
    room = LONGEST - len(f"colour={short_colour} release=".encode())
    fits = len(release.encode()) <= room and release.isascii() and not release.startswith("~")
    mark = f"colour={short_colour} release={release if fits else _digest(release)}"
    own = _cut(_MARK.sub("", application_name).strip(), LONGEST - len(mark.encode()) - 1)
    return f"{own} {mark}" if own else mark


def release_of(application_name: str, known: Iterable[str]) -> tuple[str, str | None] | None:
    """
    The mark in a name, and which of the known releases it means, if any; None where there is no mark.

    PostgreSQL shows what isn't ASCII as ``?``, so such a release is always a digest.
    """
    found = _MARK.search(application_name)
    if found is None:
        return None
    said = found[2]
    return found[0].strip(), next((tag for tag in known if said in (tag, _digest(tag))), None)


def _digest(release: str) -> str:
    return f"~{hashlib.sha256(release.encode()).hexdigest()[:20]}"


def _cut(text: str, length: int) -> str:
    return text.encode()[: max(length, 0)].decode(errors="ignore")
