"""
What a colour source is: it is asked who has the traffic, and answers, or says why it can't.

A kind of source is a frozen dataclass whose fields are its options. Another package adds one by an entry point in the
group ``expandcontract.colours``, whose name is the kind. One that needs a heavy client may name its module in a class
variable ``CLIENT``: it is imported before the source's time begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from expandcontract.domain.colour import Router


class Unanswered(Exception):
    """The source gave no answer, or none that can be understood; says why, without a secret."""


@dataclass(frozen=True)
class Scene:
    """What a source may use: what the ledger knows, and how many seconds it has."""

    router: Router
    seconds: float


@dataclass(frozen=True)
class Answer:
    """
    What a source says.

    Attributes:
        weights: shares of the traffic by the source's own words for the colours, in whatever unit.
        said: where that comes from, for people: a selector, a version.
        switched_at: when the traffic last moved, where the source knows.
        stickiness: how long a client stays where it was after the weight of that became 0.
        drain: how long requests that have begun may last after it.
    """

    weights: Mapping[str, int]
    said: str
    switched_at: datetime | None = None
    stickiness: timedelta = timedelta(0)
    drain: timedelta = timedelta(0)


class Source(Protocol):
    """Somebody who knows who has the traffic."""

    def ask(self, scene: Scene) -> Answer:
        """
        What it says just now; nothing that it said earlier.

        Raises:
            Unanswered: nothing usable.
        """
