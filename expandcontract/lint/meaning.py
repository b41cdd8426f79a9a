"""What SQL means, as a text that is the same for whatever PostgreSQL's parser reads alike."""

from __future__ import annotations

import json
from typing import Any

from expandcontract.lint.parse import Piece, pieces, words

_PLACES = frozenset(("location", "stmt_location", "stmt_len", "name_location"))


def meaning(sql: str) -> str:
    """
    The parse trees of the statements without their places; comments, blanks and the case of keywords are gone.

    What stands in the text of a function or of a DO block has a parser of its own, so of it the words are taken.
    """
    text = sql.encode("utf-8", "replace")
    return json.dumps([_meaning(text, piece) for piece in pieces(text)], sort_keys=True)


def _meaning(text: bytes, piece: Piece) -> Any:
    if piece.tree is None:
        return _words(text[piece.start : piece.end].decode("utf-8", "replace"))
    return _without_places(piece.tree)


def _without_places(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_places(each) for each in node]
    if not isinstance(node, dict):
        return node
    if node.get("defname") == "as" and "arg" in node:
        return {"as": [_words(each["String"]["sval"]) for each in _items(node["arg"])]}
    return {key: _without_places(value) for key, value in node.items() if key not in _PLACES}


def _items(argument: dict[str, Any]) -> list[dict[str, Any]]:
    """The texts of a function (a List), or of a DO block (one String)."""
    items = argument["List"]["items"] if "List" in argument else [argument]
    return [each for each in items if each.get("String", {}).get("sval")]


def _words(text: str) -> list[str]:
    return words(text.encode("utf-8", "replace")) or text.split()
