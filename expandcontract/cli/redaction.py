"""No password reaches a screen, a log or a file: every text that leaves `ec` passes here."""

from __future__ import annotations

import re

_IN_URL = re.compile(r"(?P<start>\w+://[^\s:/@]*:)[^\s]*@")
_AS_PARAMETER = re.compile(r"(?P<start>\b(?:ssl)?password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&]+)", re.IGNORECASE)


# A password with an unescaped @ ends up before the host's name, which the resolver then repeats.
_IN_HOST = re.compile(r"(?P<start>\bhost(?: name)? ['\"])[^'\"]*@", re.IGNORECASE)


def redact(text: str) -> str:
    """`text` with the passwords of URLs and of connection strings masked."""
    without_urls = _IN_HOST.sub(r"\g<start>***@", _IN_URL.sub(r"\g<start>***@", text))
    return _AS_PARAMETER.sub(r"\g<start>***", without_urls)
