"""A release: a deployable build, identified by its tag, together with the revisions that its tree ships."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Release:
    """
    What the ledger knows of a build.

    ``ships`` are the revision ids in its tree; ``needs_backfill`` those among them whose backfill must be complete
    before this release may take traffic. ``last_traffic`` is the last moment at which it was *recorded* with traffic,
    its router's drain included, and None if it never had any; while it is live, ask `Router.last_traffic` instead.
    """

    tag: str
    ships: frozenset[str]
    needs_backfill: frozenset[str] = frozenset()
    last_traffic: datetime | None = None
