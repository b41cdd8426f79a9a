"""Rollback windows: until when a release that lacks a change could still get its traffic back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from expandcontract.domain.colour import Router


@dataclass(frozen=True)
class Window:
    """
    One release's hold on a contract: it lacks the change, and had traffic until ``last_traffic``.

    ``release`` None stands for whatever had traffic before the ledger began to watch.
    """

    release: str | None
    last_traffic: datetime
    length: timedelta

    @property
    def closes_at(self) -> datetime:
        """The first moment at which it no longer holds."""
        return self.last_traffic + self.length

    def is_open(self, now: datetime) -> bool:
        """Whether it still holds. A clock that went back leaves it open."""
        return now < self.closes_at


def windows(revision: str, length: timedelta, router: Router, now: datetime) -> tuple[Window, ...]:
    """
    The windows of the releases that lack `revision`, had traffic once and have none now; the last to close first.

    A live release that lacks it has no window yet: its time starts when it loses its traffic.
    """
    live = {release.tag for release in router.live_releases}
    found = [
        Window(release.tag, release.last_traffic, length)
        for release in router.releases.values()
        if revision not in release.ships and release.tag not in live and release.last_traffic is not None
    ]
    if router.watched_since is not None:
        found.append(Window(None, router.watched_since, length))
    return tuple(sorted(found, key=lambda window: window.closes_at, reverse=True))
