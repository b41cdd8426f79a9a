"""The ledger itself: what the pipeline recorded with ``ec colour traffic``. A witness beside the router."""

from __future__ import annotations

from dataclasses import dataclass

from expandcontract.colours.source import Answer, Scene, Unanswered


@dataclass(frozen=True)
class LedgerSource:
    """As a witness it refuses a contract where the router moved and nobody has recorded it."""

    def ask(self, scene: Scene) -> Answer:
        """See `Source.ask`."""
        live = scene.router.live
        if not live:
            raise Unanswered("that nobody has traffic")
        return Answer(
            {colour.name: colour.weight for colour in live},
            ", ".join(f"{colour.name}={colour.weight}" for colour in live),
        )
