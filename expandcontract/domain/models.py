"""
What the models of a release declare, and which releases may still send statements made of them.

An ORM names every column that it maps when it inserts, whether anybody ever reads or sets it. So a release whose
models declare what a contract removes breaks with it, though it ships the change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from expandcontract.domain.colour import Router


@dataclass(frozen=True, order=True)
class Declared:
    """A table (or view) with its columns in their order; its schema where the models name it."""

    table: str
    columns: tuple[str, ...]
    schema: str | None = None


def may_serve(
    router: Router, revision: str, now: datetime, since: datetime, closed_at: datetime | None
) -> dict[str, datetime | None]:
    """
    The releases that have traffic, each with None, and those that had some and could get it back, with when.

    For those that lack the change its rollback window stays open anyway; so only those that ship it are among the
    latter.

    Args:
        router: who had traffic when.
        revision: the change.
        now: the database's clock.
        since: when the rollback window would have begun that closes now.
        closed_at: when somebody gave up who had traffic before; one that lies ahead of the clock doesn't count.
    """
    found: dict[str, datetime | None] = {release.tag: None for release in router.live_releases}
    given_up = closed_at if closed_at is not None and closed_at <= now else since
    for release in router.releases.values():
        last = release.last_traffic
        comes_back = last is not None and last > max(since, given_up)
        if comes_back and release.tag not in found and revision in release.ships:
            found[release.tag] = last
    return found
