"""
Accepts: comments that say "this finding is fine here, because …", for the next statement only.

``-- ec:accept drop-table: nobody has read it since the move`` silences one rule (or several, with commas).
``until 2027-01-31`` after the names lets it expire. A Python revision says the same after ``#``.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from datetime import date
from typing import TypeVar

from expandcontract.lint.catalogue import rule_names
from expandcontract.lint.value import Value

MARKER = "ec:accept"
QUESTION = "ec:undecided:"

_ACCEPT = re.compile(
    r"ec:accept\s+(?P<names>[\w-]+(?:\s*,\s*[\w-]+)*)(?:\s+until\s+(?P<until>\d{4}-\d{2}-\d{2}))?\s*(?::(?P<reason>.*))?",
    re.DOTALL,
)

Item = TypeVar("Item")


class Accept(Value):
    """One accept: the rules it silences, why, and until when. ``at`` is where its comment stands."""

    names: tuple[str, ...]
    reason: str
    until: date | None
    at: int


class Notice(Value):
    """Something wrong with an accept, or a question: the rule that says so, what it says, and where it stands."""

    rule: str
    message: str
    at: int


def read_accept(comment: str, at: int) -> Accept | None:
    """Give the accept that a comment holds, or None."""
    match = _ACCEPT.search(comment)
    if match is None:
        return Accept((), "", None, at) if MARKER in comment else None
    names = tuple(name.strip() for name in match["names"].split(","))
    reason = (match["reason"] or "").removesuffix("*/").strip()
    try:
        until = date.fromisoformat(match["until"]) if match["until"] else None
    except ValueError:
        return Accept((), "", None, at)
    return Accept(names, reason, until, at)


def read_question(comment: str, at: int) -> Notice | None:
    """Give what a generated text leaves to a person, if the comment asks it."""
    _, marker, asked = comment.partition(QUESTION)
    return Notice("undecided", asked.removesuffix("*/").strip(), at) if marker else None


def settle(
    found: Iterable[tuple[str, Hashable, Item]], accepts: Sequence[tuple[Accept, Hashable]], today: date
) -> tuple[list[Item], list[Notice]]:
    """
    Give what no accept silences, and what is wrong with the accepts.

    Args:
        found: rule name, place and item of each finding.
        accepts: each accept with the place that it speaks about.
        today: the date that decides whether an accept has expired.

    """
    notices = [notice for accept, _ in accepts for notice in _faults(accept, today)]
    silencing = [(accept, place) for accept, place in accepts if _is_sound(accept, today)]
    used: set[tuple[int, str]] = set()
    kept = []
    for name, place, item in found:
        matching = [accept for accept, where in silencing if where == place and name in accept.names]
        used.update((accept.at, name) for accept in matching)
        if not matching:
            kept.append(item)
    for accept, _ in silencing:
        for name in accept.names:
            if (accept.at, name) not in used and name in rule_names():
                notices.append(Notice("accept-unused", f"{name} isn't found in the next statement", accept.at))
    return kept, notices


def _is_sound(accept: Accept, today: date) -> bool:
    return bool(accept.names and accept.reason) and (accept.until is None or today <= accept.until)


def _faults(accept: Accept, today: date) -> Iterable[Notice]:
    if not accept.names:
        yield Notice("accept-unknown", "it can't be read; write: ec:accept <rule>[, <rule>]: <reason>", accept.at)
        return
    for name in accept.names:
        if name not in rule_names():
            yield Notice("accept-unknown", f"there is no rule {name}", accept.at)
    if not accept.reason:
        yield Notice("accept-without-reason", f"say after a colon why {accept.names[0]} is fine here", accept.at)
    if accept.until and today > accept.until:
        yield Notice("accept-expired", f"it held until {accept.until}", accept.at)
