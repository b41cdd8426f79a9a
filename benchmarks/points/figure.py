"""One measured number, and what it should be."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Options:
    """How large the run is: rows of the tables, rounds whose median counts, seconds of each measured load."""

    rows: int
    rounds: int
    seconds: float


@dataclass(frozen=True)
class Figure:
    """
    A measured number, in words.

    The goal is met where the value is between ``least`` and ``most``; without either it is told for information.
    ``spread`` is the least and the greatest value over the rounds.
    """

    point: int
    name: str
    value: float
    unit: str = "×"
    least: float | None = None
    most: float | None = None
    spread: tuple[float, float] | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.least is None and self.most is None:
            return None
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    def __str__(self) -> str:
        goal = "".join(
            f"  {sign} {bound:g}" for sign, bound in (("≥", self.least), ("≤", self.most)) if bound is not None
        )
        verdict = {True: "met", False: "MISSED", None: ""}[self.is_met]
        spread = f"({self.spread[0]:.4g} to {self.spread[1]:.4g})" if self.spread else ""
        return f"{self.point}  {self.name:62}{self.value:12.4g} {self.unit:8}{spread:22}{goal:16}{verdict}".rstrip()


def median(
    point: int,
    name: str,
    values: Sequence[float],
    unit: str = "×",
    *,
    least: float | None = None,
    most: float | None = None,
) -> Figure:
    """The median over the rounds, with its spread."""
    return Figure(point, name, statistics.median(values), unit, least, most, (min(values), max(values)))
