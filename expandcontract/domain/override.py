"""What a person may answer for: refusals that are set aside by their code, with a reason, on record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from expandcontract.domain.refusal import Code, Refusal

# How long ago the last traffic was, and what others say beside the ledger. Whether the step is ready, who is live and
# whether that is known at all is nobody's to decide.
OVERRIDABLE = frozenset(
    {
        Code.WINDOW_OPEN,
        Code.UNWATCHED,
        Code.SESSION,
        Code.ALERT,
        Code.DECLARED,
        Code.REFERRED_TO,
        Code.UNPROVEN,
        Code.NO_TOMBSTONE,
        Code.SOAKING,
        Code.UNSTOPPABLE,
    }
)


@dataclass(frozen=True)
class Override:
    """
    Somebody's word for it.

    Attributes:
        codes: the refusals that are to count for nothing; all of `OVERRIDABLE`.
        reason: why.
    """

    codes: frozenset[Code] = field(default_factory=frozenset)
    reason: str = ""

    def standing(self, refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
        """Those that refuse nevertheless."""
        return tuple(refusal for refusal in refusals if refusal.code not in self.codes)

    def overridden(self, refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
        """Those that count for nothing."""
        return tuple(refusal for refusal in refusals if refusal.code in self.codes)

    def on_record(self, refusals: Iterable[Refusal]) -> Mapping[str, object]:
        """What the log keeps of it; nothing where nothing was overridden."""
        found = self.overridden(refusals)
        if not found:
            return {}
        return {"overrides": [f"{refusal.code}: {refusal.because}" for refusal in found], "reason": self.reason}


NOTHING = Override()
