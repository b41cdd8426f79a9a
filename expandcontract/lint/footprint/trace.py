"""What one action touches by itself, as a value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from expandcontract.domain.footprint import Touched
from expandcontract.lint.footprint.bodies import Body

ROWS = "(rows)"
"""A table's rows, as a member: a write changes them, and whatever runs on a write uses them."""


@dataclass(frozen=True, slots=True)
class Trace:
    """
    What one action, or one part of it, touches.

    Args:
        changes: the objects that are different afterwards.
        uses: the objects that it names besides.
        calls: the functions that it may call.
        writes: the tables whose rows it writes, so that their triggers and rules run.
        takes_along: whether what uses the changed objects goes as well (CASCADE, and rows by foreign keys).
        passes_on: whether a write into what it defines is one into what that uses: it is a view.
        stays: whether the changed objects go on using what it uses, because it defines them.
        sought: objects that it names without the table that they stand on.
        body: for a function, what it runs when it is called.
        unknown: why it can't be told what it touches.
    """

    changes: frozenset[Touched] = frozenset()
    uses: frozenset[Touched] = frozenset()
    calls: frozenset[str] = frozenset()
    writes: frozenset[Touched] = frozenset()
    takes_along: bool = False
    passes_on: bool = False
    stays: bool = False
    sought: frozenset[Touched] = frozenset()
    body: Body | None = field(default=None, compare=False)
    unknown: str | None = None


def changing(*changes: Touched, takes_along: bool = False) -> Trace:
    """A trace of what changes these."""
    return Trace(frozenset(changes), takes_along=takes_along)


def defining(changes: Iterable[Touched], uses: Iterable[Touched], calls: Iterable[str] = ()) -> Trace:
    """A trace of what makes objects that stand on others."""
    return Trace(frozenset(changes), frozenset(uses), frozenset(calls), stays=True)
