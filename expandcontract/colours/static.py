"""A fixed answer, or one from the environment: for development, and for pipelines that know."""

from __future__ import annotations

import os
from dataclasses import dataclass

from expandcontract.colours.source import Answer, Scene, Unanswered
from expandcontract.colours.words import weights_in


@dataclass(frozen=True)
class Static:
    """One of the two must be there."""

    live: str | None = None  # the colour that is live, or shares such as "blue=90 green=10"
    variable: str | None = None  # the environment variable that has it

    def __post_init__(self) -> None:
        if (self.live is None) == (self.variable is None):
            raise ValueError("needs either live or variable")

    def ask(self, scene: Scene) -> Answer:
        """See `Source.ask`."""
        if self.live is not None:
            return Answer(weights_in(self.live), f"{self.live!r}, as configured")
        text = os.environ.get(self.variable or "")
        if text is None:
            raise Unanswered(f"nothing: the variable {self.variable} isn't set")
        return Answer(weights_in(text), f"{self.variable}={text.strip()}")
