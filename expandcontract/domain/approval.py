"""A person's word that a contract may run, given for what that contract meant at that moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Approval:
    """
    Attributes:
        parts: the checksum of each part that was approved.
        person: who gave it.
        at: when.
        reason: why.
    """

    parts: tuple[str, ...]
    person: str
    at: datetime
    reason: str

    def is_for(self, parts: tuple[str, ...]) -> bool:
        """Whether it was given for a contract of this meaning: any edit of it voids the approval."""
        return bool(parts) and self.parts == parts
