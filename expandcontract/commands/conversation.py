"""What long work says while it goes on. The command line implements it; commands only speak."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from expandcontract.domain.step import Step

if TYPE_CHECKING:
    from expandcontract.alembic_bridge.task import Blocked
    from expandcontract.backfill.progress import Progress


class Conversation(Protocol):
    """Told as things happen; must not raise."""

    def says(self, sentence: str) -> None:
        """Something worth knowing, in one sentence."""

    def part_begins(self, step: Step, title: str, part: str) -> None:
        """A part of a step begins."""

    def part_done(self, step: Step, part: str, seconds: float) -> None:
        """It is committed."""

    def blocked(self, blocked: Blocked) -> None:
        """An attempt ran into its lock time-out; there will be another."""

    def progress(self, progress: Progress) -> None:
        """A backfill has finished a range."""

    def progress_ends(self) -> None:
        """No more progress of this backfill comes."""
