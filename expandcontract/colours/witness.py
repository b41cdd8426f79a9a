"""A witness: a source that somebody has configured, by its name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from importlib import import_module
from typing import Any

from expandcontract.colours.catalogue import kind_named
from expandcontract.colours.source import Scene, Source, Unanswered
from expandcontract.domain.options import made_from
from expandcontract.domain.redaction import redact, secrets_of
from expandcontract.domain.sighting import Look


@dataclass(frozen=True)
class Terms:
    """What every source may have beside its own options: a drain at least so long, and its words for our colours."""

    drain: timedelta = timedelta(0)
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Witness:
    """
    A configured source.

    Attributes:
        name: what the configuration calls it.
        source: who is asked.
        terms: how its answer is understood.
    """

    name: str
    source: Source
    terms: Terms = field(default_factory=Terms)

    def load(self) -> None:
        """Import the client of the source: on a slow machine that takes longer than a source may."""
        client = getattr(self.source, "CLIENT", None)
        if client is not None:
            with suppress(Exception):  # the source meets it as well, and says so
                import_module(client)

    def look(self, scene: Scene) -> Look:
        """What it says just now; a source that can't be read is a look without weights. It repeats no secret."""
        hidden = partial(redact, secrets=secrets_of(self.source, os.environ))
        try:
            answer = self.source.ask(scene)
        except Unanswered as error:
            return Look(self.name, hidden(str(error)))
        except Exception as error:  # a client library's own, or another package's fault
            return Look(self.name, hidden(f"nothing: {type(error).__name__}: {' '.join(str(error).split())}")[:300])
        weights: dict[str, int] = {}
        for word, weight in answer.weights.items():
            colour = self.terms.names.get(word, hidden(word))
            weights[colour] = weights.get(colour, 0) + weight
        drain = max(answer.stickiness, answer.drain, self.terms.drain)
        return Look(self.name, hidden(answer.said), weights, answer.switched_at, drain)


def witness_from(name: str, table: Mapping[str, Any]) -> Witness:
    """
    The witness that a table of the configuration means.

    Raises:
        ValueError: every mistake in the table, in one sentence.
    """
    if not isinstance(table.get("source"), str):
        raise ValueError("has no source, which says what kind it is")
    own = {key: value for key, value in table.items() if key not in ("source", "drain", "names")}
    shared = {key: table[key] for key in ("drain", "names") if key in table}
    return Witness(name, made_from(kind_named(table["source"]), own), made_from(Terms, shared))
