"""
A model of what a database physically holds, which knows nothing of the gate.

Each change has an old and a new shape. An expand builds the new one, part by part; a contract removes the old one; a
backfill brings the rows into the new one. A release works where it finds the new shape, with its rows right, of
everything that it ships, and the old shape of everything that it lacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from expandcontract.domain.change import Change
from expandcontract.domain.release import Release


class Violation(AssertionError):
    """Something happened that must never happen."""


def insist(holds: bool, promise: str) -> None:
    """A promise that the world sees kept, or the end of the story."""
    if not holds:
        raise Violation(promise)


@dataclass(frozen=True)
class Authored:
    """A change as one tree has it, and what its phases really touch, whether or not their footprints tell."""

    change: Change
    expand_touches: frozenset[str]
    contract_touches: frozenset[str]

    @property
    def revision(self) -> str:
        """The change's revision id."""
        return self.change.revision


Tree = tuple[Authored, ...]


@dataclass(frozen=True)
class Held:
    """What the database holds of one change."""

    authored: Authored
    built: int = 0
    removed: int = 0
    filled: bool = False
    is_spoilt: bool = False  # it was filled, and then somebody wrote rows that aren't right
    contracted_as: Authored | None = None
    meant_as: Authored | None = None

    @property
    def meant(self) -> Authored:
        """The change as it was meant last."""
        return self.meant_as or self.authored

    @property
    def has_new_shape(self) -> bool:
        """Whether every part of the expand is there."""
        return self.built == len(self.authored.change.expand_parts)

    @property
    def has_old_shape(self) -> bool:
        """Whether no part of the contract has run."""
        return self.removed == 0

    @property
    def contract_waits(self) -> bool:
        """Whether the old shape, or a part of it, is still to be removed."""
        return self.removed < len(self.authored.change.contract_parts)

    def kept_right_by(self, release: Release) -> bool:
        """Whether the rows that this release writes arrive right in the new shape."""
        backfill = self.authored.change.backfill
        if backfill is None or self.authored.change.installs_sync:
            return True
        return backfill.writers in release.ships


class PhysicalSchema:
    """The changes that are in the database, in the order in which they came."""

    def __init__(self) -> None:
        self.held: dict[str, Held] = {}

    def build(self, authored: Authored, tree: Tree, parts: int) -> bool:
        """Run the next parts of an expand; whether it is complete now."""
        revision = authored.revision
        earlier = [change.revision for change in tree[: tree.index(authored)]]
        others = [other for other in self.held if other != revision]
        insist(others == earlier, f"expand {revision}: the history is linear, {others} is applied and not {earlier}")
        insist(self._are_complete(others), f"expand {revision}: what it stands on isn't complete")
        held = self.held.get(revision, Held(authored))
        self._put(replace(held, built=min(held.built + parts, len(authored.change.expand_parts))))
        return self.held[revision].has_new_shape

    def fill(self, revision: str) -> None:
        """Bring every row that is there into the new shape."""
        held = self._built(revision, f"backfill {revision}: its shape doesn't exist")
        self._put(replace(held, filled=True, is_spoilt=False))

    def remove(self, authored: Authored, parts: int) -> bool:
        """Run the next parts of a contract, as this tree has it; whether it is complete now."""
        revision = authored.revision
        held = self._built(revision, f"contract {revision}: there is no new shape in the old one's place")
        has_rows = held.authored.change.backfill is None or held.filled
        insist(has_rows, f"contract {revision}: rows are lost that were never moved")
        self._spare_the_others(authored)
        begun_as = held.contracted_as.contract_touches if held.contracted_as else authored.contract_touches
        insist(begun_as == authored.contract_touches, f"contract {revision}: it goes on as another than it began as")
        removed = min(held.removed + parts, len(authored.change.contract_parts))
        self._put(replace(held, removed=removed, contracted_as=authored))
        return not self.held[revision].contract_waits

    def take_back(self, revision: str) -> None:
        """Undo an expand."""
        held = self._built(revision, f"undo {revision}: it isn't there")
        insist(held.has_old_shape, f"undo {revision}: there is no old shape to go back to")
        insist(list(self.held)[-1] == revision, f"undo {revision}: later changes stand on it")
        del self.held[revision]

    def written_by(self, releases: Iterable[Release]) -> None:
        """These releases write rows of every table."""
        for release in releases:
            for held in list(self.held.values()):
                if not held.kept_right_by(release):
                    self._put(replace(held, filled=False, is_spoilt=held.filled or held.is_spoilt))

    def wants(self, release: Release) -> str | None:
        """What this release looks for in vain; None where it works."""
        for revision in sorted(release.ships):
            held = self.held.get(revision)
            if held is None or not held.has_new_shape:
                return f"the new shape of {revision}"
            if revision in release.needs_backfill and not held.filled:
                return f"the rows of {revision}"
        for held in self.held.values():
            if held.authored.revision not in release.ships and not held.has_old_shape:
                return f"the old shape of {held.authored.revision}"
        return None

    def lost_what_code_kept(self, release: Release) -> bool:
        """Whether rows that this release reads were right, and code that doesn't keep them so has written since."""
        return any(self.held[revision].is_spoilt for revision in release.needs_backfill if revision in self.held)

    def rows_left(self) -> dict[str, bool]:
        """What each backfill's own predicate finds now."""
        return {
            revision: not held.filled
            for revision, held in self.held.items()
            if held.authored.change.backfill is not None
        }

    def _built(self, revision: str, promise: str) -> Held:
        held = self.held.get(revision)
        if held is None or not held.has_new_shape:
            raise Violation(promise)
        return held

    def _are_complete(self, revisions: Sequence[str]) -> bool:
        return all(self.held[revision].has_new_shape for revision in revisions)

    def _spare_the_others(self, authored: Authored) -> None:
        """What a contract removes is neither what a later expand has built nor what an earlier contract stands on."""
        revision = authored.revision
        came = list(self.held)
        for other in came[came.index(revision) + 1 :]:
            common = authored.contract_touches & self.held[other].authored.expand_touches
            insist(not common, f"contract {revision}: it destroys what {other} has built on {sorted(common)}")
        for earlier in came[: came.index(revision)]:
            held = self.held[earlier]
            common = authored.contract_touches & held.meant.contract_touches
            insist(
                not (common and held.contract_waits),
                f"contract {revision}: the old shape of {earlier} stands on {sorted(common)}",
            )

    def amend(self, authored: Authored) -> None:
        """From now on a change is meant to be as somebody has it."""
        if held := self.held.get(authored.revision):
            self._put(replace(held, meant_as=authored))

    def _put(self, held: Held) -> None:
        self.held[held.authored.revision] = held
