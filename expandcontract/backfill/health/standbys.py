"""Standbys that ought to be there: those named, and for a while those that were there a moment ago."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from expandcontract.backfill.health.signal import Kind, Scene
from expandcontract.domain.throttle import Level, Verdict

NAME = "standbys"
ANY = "seen"
FORGOTTEN_AFTER = 300.0  # seconds: then a standby that nobody has named was taken away on purpose


class Standbys:
    """
    Looks who is connected.

    Args:
        names: the application names of those that must be.
    """

    name = NAME

    def __init__(self, names: Collection[str]) -> None:
        self._names = tuple(names)
        self._seen: dict[str, float] = {}

    def look(self, scene: Scene) -> Sequence[Verdict]:
        """See `Signal.look`."""
        self._seen.update({one.name: scene.now for one in scene.standbys if one.is_physical})
        return judge(self._names, self._seen, {one.name for one in scene.standbys}, scene.now)


def judge(names: Collection[str], seen: Mapping[str, float], connected: Collection[str], now: float) -> list[Verdict]:
    """A verdict on each standby that ought to be there; `seen` says when each was there last."""
    verdicts = []
    for name in dict.fromkeys([*names, *seen]):
        if name in connected:
            verdicts.append(Verdict(NAME, Level.CALM, f"{name} is connected", name))
        elif name in names:
            verdicts.append(Verdict(NAME, Level.OVER, f"{name} isn't connected", name))
        elif now - seen[name] < FORGOTTEN_AFTER:
            gone = f"{name} was connected until {now - seen[name]:.0f} s ago"
            verdicts.append(Verdict(NAME, Level.OVER, f"{gone}; after {FORGOTTEN_AFTER:.0f} s we go on without", name))
    return verdicts


def _make(text: str) -> Standbys:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise ValueError(f"{text!r} names no standbys; write application names with commas, {ANY}, or off")
    return Standbys([name for name in names if name != ANY])


KIND = Kind(
    NAME,
    "standbys that aren't connected: those named here by their `application_name`, always; and with `seen`, for five"
    " minutes, one that was connected when this run began or since",
    ANY,
    "replica-1, replica-2",
    _make,
)
