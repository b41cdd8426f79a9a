"""What an author decides about a change, and the change that comes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from expandcontract.domain.change import Backfill, Change, Sync
from expandcontract.domain.footprint import Footprint, Touched
from expandcontract.domain.phase import Phase
from tests.unit.domain.physical_schema import Authored


@dataclass(frozen=True)
class Design:
    """
    What an author decides about a change.

    ``kept_right_by`` says what keeps the rows of the backfill right: "sync", "code" (of the change before it, or of
    itself where it is the first), or "nothing".
    """

    touches: frozenset[str] = frozenset({"users"})
    contracts: bool = True
    contract_touches: frozenset[str] | None = None  # where not the same
    backfills: bool = False
    required: bool = True
    kept_right_by: str = "sync"
    window: timedelta = timedelta(days=1)
    parts: int = 1
    footprints_known: bool = True
    spares_what_waits: bool = False  # the tree's earlier contracts are rewritten so that they don't meet this change

    def of(self, revision: str, writers: str) -> Authored:
        """The change as it is written; ``writers`` is the change whose code may keep its rows right."""
        parts = tuple(f"part_{number}" for number in range(1, self.parts + 1))
        change = Change(
            revision,
            title=f"change {revision}",
            contract_after=self.window,
            expand_parts=parts,
            contract_parts=parts if self.contracts else (),
            backfill=self._backfill(writers) if self.backfills else None,
            installs_sync=self.backfills and self.kept_right_by == "sync",
            footprints=self._footprints() if self.footprints_known else {},
            meanings={Phase.CONTRACT: _meaning(self._removes(), len(parts))} if self.contracts else {},
        )
        return Authored(change, self.touches, self._removes())

    def _backfill(self, writers: str) -> Backfill:
        if self.kept_right_by == "sync":
            sync = Sync("users", forward={"new": "old"}, backward={"old": "new"})
            return Backfill(sync, required=self.required)
        named = writers if self.kept_right_by == "code" else None
        return Backfill("users", set={"new": "old"}, writers=named, required=self.required)

    def _removes(self) -> frozenset[str]:
        if not self.contracts:
            return frozenset()
        return self.touches if self.contract_touches is None else self.contract_touches

    def _footprints(self) -> dict[Phase, Footprint]:
        return {Phase.EXPAND: _footprint(self.touches), Phase.CONTRACT: _footprint(self._removes())}


def sparing(authored: Authored, touches: frozenset[str]) -> Authored:
    """That change with a contract which leaves `touches` alone."""
    if not authored.contract_touches & touches:
        return authored
    spared = authored.contract_touches - touches
    footprints = {**authored.change.footprints, Phase.CONTRACT: _footprint(spared)}
    meanings = {Phase.CONTRACT: _meaning(spared, len(authored.change.contract_parts))}
    change = replace(authored.change, footprints=footprints, meanings=meanings)
    return replace(authored, change=change, contract_touches=spared)


def _meaning(touches: frozenset[str], parts: int) -> tuple[str, ...]:
    return (" and ".join(sorted(touches)),) * parts


def _footprint(touches: frozenset[str]) -> Footprint:
    return Footprint.of(Touched(table) for table in touches)
