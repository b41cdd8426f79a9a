"""A risk: what is wrong, because of which fact, and the remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_NAMED = 5  # of many


class Weight(StrEnum):
    """What a risk may do."""

    FAILS = "fails"  # a step would fail, or be refused, and waiting doesn't help
    RISKY = "risky"  # steps run; the application or the way back may suffer, or a step may take long


@dataclass(frozen=True)
class Risk:
    """One thing found: how bad it is, because of which fact, and what to do about it."""

    weight: Weight
    because: str
    remedy: str


def fails(because: str, remedy: str) -> Risk:
    """A risk that makes a step fail."""
    return Risk(Weight.FAILS, because, remedy)


def risky(because: str, remedy: str) -> Risk:
    """A risk that makes no step fail by itself."""
    return Risk(Weight.RISKY, because, remedy)


def listed(names: Iterable[str]) -> str:
    """The first of many names, and how many more there are."""
    known = tuple(names)
    more = len(known) - _NAMED
    return ", ".join(known[:_NAMED]) + (f" and {more} more" if more > 0 else "")
