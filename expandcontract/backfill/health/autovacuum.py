"""Autovacuum that works on the table: it and the backfill each make the other's work longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from expandcontract.backfill.health.signal import Kind, Scene, Unreadable
from expandcontract.database.health import Vacuuming, autovacuum
from expandcontract.domain.throttle import Level, Verdict

ANY = "autovacuum"
WRAPAROUND = "wraparound_vacuum"
_LEVELS = {"slow": Level.STRAINED, "stop": Level.OVER}


@dataclass(frozen=True)
class Autovacuum:
    """Looks whether it works on the table or a partition; with `only_wraparound`, one that may not be put off."""

    level: Level
    only_wraparound: bool

    @property
    def name(self) -> str:
        """See `Signal.name`."""
        return WRAPAROUND if self.only_wraparound else ANY

    def look(self, scene: Scene) -> Sequence[Verdict]:
        """See `Signal.look`."""
        found = autovacuum(scene.connection, scene.root)
        if found.hidden:
            raise Unreadable("autovacuum works, and the role may not see on what: GRANT pg_monitor")
        return [judge(found, self)]


def judge(found: Vacuuming, signal: Autovacuum) -> Verdict:
    """The verdict where autovacuum works like this: calm as soon as it has ended."""
    works = found.prevents_wraparound if signal.only_wraparound else found.works
    purpose = ", to prevent wraparound" if found.prevents_wraparound else ""
    words = f"autovacuum works on the table{purpose}" if works else "autovacuum isn't on the table"
    return Verdict(signal.name, signal.level if works else Level.CALM, words)


def _kind(name: str, measures: str, default: str, *, only_wraparound: bool) -> Kind:
    def make(text: str) -> Autovacuum:
        if text not in _LEVELS:
            raise ValueError(f"{text!r} is none of slow, stop, off")
        return Autovacuum(_LEVELS[text], only_wraparound)

    return Kind(name, measures, default, "stop", make)


KIND = _kind(ANY, "autovacuum that works on the table or a partition", "off", only_wraparound=False)
WRAPAROUND_KIND = _kind(
    WRAPAROUND,
    "autovacuum that works on the table or a partition to prevent wraparound, and so doesn't give way",
    "slow",
    only_wraparound=True,
)
