"""Weights from what sources write down: ``green``, ``blue=90 green=10``, or the same in JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from expandcontract.colours.source import Unanswered

_SHARE = re.compile(r"([^\s=]+)=([0-9]{1,6})")


def weights_in(text: str) -> Mapping[str, int]:
    """
    The weights that a text gives: the name of one colour, shares, a JSON object of shares, or a JSON string.

    Raises:
        Unanswered: it is empty, or can't be understood.
    """
    stripped = text.strip()
    if stripped[:1] in ("{", '"'):
        try:
            return weights_of(json.loads(stripped))
        except ValueError:
            raise Unanswered(f"{_short(stripped)}, which is no JSON") from None
    words = stripped.split()
    if not words:
        raise Unanswered("nothing: the answer is empty")
    if len(words) == 1 and "=" not in stripped:
        return {stripped: 100}
    shares = [_SHARE.fullmatch(word) for word in words]
    found = {share[1]: int(share[2]) for share in shares if share}
    if len(found) != len(words):
        raise Unanswered(
            f"{_short(stripped)}, which is neither the name of a colour nor shares such as blue=90 green=10"
        )
    return found


def weights_of(value: object) -> Mapping[str, int]:
    """
    The weights in a value from JSON: a name, or an object of names and whole numbers.

    Raises:
        Unanswered: it is neither.
    """
    match value:
        case str() if value.strip():
            return weights_in(value) if value.strip()[0] not in '{"' else {value: 100}
        case dict() if value and all(type(share) is int for share in value.values()):
            return {str(name): share for name, share in value.items()}
    raise Unanswered(
        f"{_short(json.dumps(value))}, which is neither the name of a colour nor an object of whole numbers"
    )


def _short(text: str) -> str:
    shown = " ".join(text.split())
    return repr(shown if len(shown) <= 80 else f"{shown[:79]}…")
