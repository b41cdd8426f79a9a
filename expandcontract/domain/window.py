"""Rollback windows: until when a release that lacks a change could still get its traffic back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from expandcontract.domain.colour import Router

_NONE = timedelta(0)


@dataclass(frozen=True)
class Control:
    """
    What people have decided about the window of one change.

    Attributes:
        extended: by how much it is longer than declared.
        closed_at: when it was closed early. Whoever has had traffic since has a window again.
        person: who decided last.
        reason: why, where that was said.
    """

    extended: timedelta = _NONE
    closed_at: datetime | None = None
    person: str = ""
    reason: str | None = None


@dataclass(frozen=True)
class Window:
    """
    One release's hold on a contract: it lacks the change, and had traffic until ``last_traffic``.

    ``release`` None stands for whatever had traffic before the ledger began to watch. ``given_up``: somebody has closed
    the window early, and the release had no traffic since.
    """

    release: str | None
    last_traffic: datetime
    length: timedelta
    given_up: bool = False

    @property
    def closes_at(self) -> datetime:
        """The first moment at which it no longer holds by itself."""
        return self.last_traffic + self.length

    def is_open(self, now: datetime) -> bool:
        """Whether it still holds. A clock that went back leaves it open."""
        return not self.given_up and now < self.closes_at


def windows(
    revision: str, length: timedelta, router: Router, now: datetime, closed_at: datetime | None = None
) -> tuple[Window, ...]:
    """
    The windows of the releases that lack `revision`, had traffic once and have none now; the last to close first.

    A live release that lacks it has no window yet: its time starts when it loses its traffic.

    Args:
        revision: the change.
        length: how long each lasts.
        router: who had traffic when.
        now: the database's clock; a closing that lies ahead of it doesn't count.
        closed_at: when somebody closed them early.
    """
    live = {release.tag for release in router.live_releases}
    left = [
        (release.tag, release.last_traffic)
        for release in router.releases.values()
        if revision not in release.ships and release.tag not in live and release.last_traffic is not None
    ]
    before: list[tuple[str | None, datetime]] = [] if router.watched_since is None else [(None, router.watched_since)]
    found = [
        Window(tag, last, length, given_up=closed_at is not None and last <= closed_at <= now)
        for tag, last in [*left, *before]
    ]
    return tuple(sorted(found, key=lambda window: window.closes_at, reverse=True))
