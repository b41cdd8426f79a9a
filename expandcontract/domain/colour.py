"""Colours and their traffic: which release is live, and which had traffic when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from expandcontract.domain.release import Release


@dataclass(frozen=True)
class Colour:
    """A named slot that runs one release; ``weight`` is its traffic, 0–100."""

    name: str
    release: str
    weight: int = 0

    @property
    def is_live(self) -> bool:
        """Whether it has any traffic."""
        return self.weight > 0


@dataclass(frozen=True)
class Router:
    """
    All colours with their weights, and the releases known so far.

    ``watched_since`` is when traffic was first recorded; which release ran before that nobody knows.
    """

    colours: Mapping[str, Colour] = field(default_factory=dict)
    releases: Mapping[str, Release] = field(default_factory=dict)
    watched_since: datetime | None = None

    @property
    def live(self) -> tuple[Colour, ...]:
        """The colours that have traffic, by name."""
        return tuple(colour for _, colour in sorted(self.colours.items()) if colour.is_live)

    @property
    def live_releases(self) -> tuple[Release, ...]:
        """The releases that have traffic, each once, by tag."""
        return tuple(self.releases[tag] for tag in sorted({colour.release for colour in self.live}))

    def colours_of(self, tag: str) -> tuple[str, ...]:
        """The names of the colours that run this release now."""
        return tuple(sorted(name for name, colour in self.colours.items() if colour.release == tag))

    def last_traffic(self, tag: str, now: datetime) -> datetime | None:
        """The last moment at which this release had traffic: `now` for a live one, None if it never had any."""
        if any(colour.release == tag for colour in self.live):
            return now
        return self.releases[tag].last_traffic

    def knows_another_build(self, release: Release, colour: str) -> bool:
        """
        Whether this tag already stands for another tree that counts: one that had traffic, or runs elsewhere.

        Then the new tree would put words into the old build's mouth, and a contract could run under it.
        """
        known = self.releases.get(release.tag)
        if known is None or known.ships == release.ships:
            return False
        elsewhere = set(self.colours_of(release.tag)) - {colour}
        return bool(elsewhere) or known.last_traffic is not None

    def deploy(self, name: str, release: Release, now: datetime) -> Router:
        """The router after `release` has been put on the colour; its weight stays, so this may move traffic."""
        known = self.releases.get(release.tag)
        kept = replace(release, last_traffic=known.last_traffic) if known else release
        weight = self.colours[name].weight if name in self.colours else 0
        colours = {**self.colours, name: Colour(name, release.tag, weight)}
        return self._moved(replace(self, releases={**self.releases, release.tag: kept}), colours, now)

    def shift(self, weights: Mapping[str, int], now: datetime, drain: timedelta = timedelta(0)) -> Router:
        """The router with exactly these weights; a colour that isn't named has none, and its last requests drain."""
        colours = {name: replace(colour, weight=weights.get(name, 0)) for name, colour in self.colours.items()}
        return self._moved(self, colours, now, drain)

    def retire(self, name: str, now: datetime) -> Router:
        """The router without that colour. The release that it ran stays known, with its last traffic."""
        return self._moved(self, {other: colour for other, colour in self.colours.items() if other != name}, now)

    def _moved(
        self, known: Router, colours: Mapping[str, Colour], now: datetime, drain: timedelta = timedelta(0)
    ) -> Router:
        """
        `colours` in place of mine, with `now` as last traffic of every release that is live before or after.

        That of a release which loses its traffic is when the last request may have come.
        """
        after = replace(known, colours=colours)
        releases = dict(known.releases)
        live = {release.tag for release in after.live_releases}
        for release in (*self.live_releases, *after.live_releases):
            # a clock that went back must not shorten a window
            ends = now if release.tag in live else now + drain
            latest = max(releases[release.tag].last_traffic or ends, ends)
            releases[release.tag] = replace(releases[release.tag], last_traffic=latest)
        watched_since = self.watched_since or (now if after.live else None)
        return replace(after, releases=releases, watched_since=watched_since)
