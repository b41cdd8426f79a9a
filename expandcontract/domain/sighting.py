"""What the witnesses outside say of the traffic, each for itself and all together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

_NONE = timedelta(0)


class TrafficState(StrEnum):
    """What is known of the traffic."""

    LIVE = "live"  # one colour has all of it
    MIXED = "mixed"  # several colours have some
    UNKNOWN = "unknown"  # no usable answer, or answers that contradict each other


@dataclass(frozen=True)
class Look:
    """
    What one witness said just now.

    Attributes:
        witness: its name in the configuration.
        said: its words, for people.
        weights: shares of the traffic in whatever unit; empty where it gave no usable answer.
        switched_at: when it says that the traffic last moved; shown, and never counted on.
        drain: how long requests may go on reaching a colour after its weight became 0, stickiness included.
    """

    witness: str
    said: str
    weights: Mapping[str, int] = field(default_factory=dict)
    switched_at: datetime | None = None
    drain: timedelta = _NONE

    @property
    def live(self) -> frozenset[str]:
        """The colours to which it gives traffic."""
        return frozenset(name for name, weight in self.weights.items() if weight > 0)


@dataclass(frozen=True)
class Sighting:
    """
    What all witnesses together come to.

    Attributes:
        looks: what each said.
        weights: of the colours, 100 together; empty where the state is unknown.
        because: why it is unknown.
        drain: the longest of those that agree.
    """

    looks: tuple[Look, ...]
    weights: Mapping[str, int] = field(default_factory=dict)
    because: str | None = None
    drain: timedelta = _NONE

    @property
    def live(self) -> frozenset[str]:
        """The colours that have traffic."""
        return frozenset(name for name, weight in self.weights.items() if weight > 0)

    @property
    def state(self) -> TrafficState:
        """The state."""
        if not self.live:
            return TrafficState.UNKNOWN
        return TrafficState.LIVE if len(self.live) == 1 else TrafficState.MIXED


def sighting(looks: Sequence[Look], *, needed: int, known: Collection[str]) -> Sighting:
    """
    What these looks come to; whatever is unclear makes it unknown.

    Witnesses agree where they give traffic to the same colours: one that knows only names can't tell the shares.

    Args:
        looks: one of each witness, the one first whose shares count.
        needed: how many must have a usable answer.
        known: the colours that the ledger has. Nothing is a colour because it is none of the others.
    """
    judged = [_judged(look, known) for look in looks]
    usable = [look for look in judged if look.live]
    all_looks = tuple(judged)
    if len({look.live for look in usable}) > 1:
        return Sighting(all_looks, because=f"the witnesses contradict each other: {_all_said(usable)}")
    if len(usable) < max(needed, 1):
        words = _all_said([look for look in judged if not look.live])
        return Sighting(all_looks, because=f"{len(usable)} of {needed} witnesses could be read: {words}")
    return Sighting(all_looks, percentages(usable[0].weights), drain=max(look.drain for look in usable))


def _judged(look: Look, known: Collection[str]) -> Look:
    """The look, without weights that can't be used."""
    if not look.weights:
        return look
    unknown = sorted(set(look.weights) - set(known))
    if unknown:
        why = f"the ledger knows no colour {', '.join(map(repr, unknown))}"
    elif any(weight < 0 for weight in look.weights.values()):
        why = "a weight below 0"
    elif not look.live:
        why = "no colour has any weight"
    else:
        return look
    return Look(look.witness, f"{look.said} ({why})")


def _all_said(looks: Sequence[Look]) -> str:
    return "; ".join(f"{look.witness} says {look.said}" for look in looks)


def percentages(weights: Mapping[str, int]) -> Mapping[str, int]:
    """The weights as whole percentages, 100 together; what has any traffic has 1 at least, since it is live."""
    total = sum(weights.values())
    exact = {name: weight * 100 / total for name, weight in weights.items()}
    whole = {name: max(int(share), 1) if share else 0 for name, share in exact.items()}
    by_what_they_lost = sorted(exact, key=lambda name: exact[name] - whole[name], reverse=True)
    for name in by_what_they_lost[: max(0, 100 - sum(whole.values()))]:
        whole[name] += 1
    whole[max(whole, key=lambda name: whole[name])] += 100 - sum(whole.values())
    return whole
