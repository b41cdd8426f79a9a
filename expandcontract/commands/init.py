"""``ec init``: adopt an existing Alembic project, or make a new one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from expandcontract.alembic_bridge.new_project import make_project
from expandcontract.commands.conversation import Conversation
from expandcontract.commands.result import Outcome, Result
from expandcontract.commands.situation import open_situation
from expandcontract.config import Settings
from expandcontract.database import ledger_installation
from expandcontract.domain.phase import Phase


@dataclass(frozen=True, kw_only=True)
class InitResult(Result):
    """
    The files that were made (none in an existing project), and what the ledger knows now.

    ``needs_ledger`` is whether the database had none.
    """

    made: tuple[str, ...] = ()
    database: str | None = None
    revisions: int = 0
    expanded: int = 0
    needs_ledger: bool = False
    dry_run: bool = False


def init(
    settings: Settings, conversation: Conversation, *, directory: str = "migrations", dry_run: bool = False
) -> InitResult:
    """
    In a folder with an Alembic configuration: put the ledger into its database and record what is applied there.
    No file is touched. In a folder without: make a new project in `directory`.

    Raises:
        EcError: see `expandcontract.errors`.
    """
    toml, ini = settings.project.files()
    if not settings.project.config and not ini.exists() and not _has_alembic_table(toml):
        made = make_project(Path.cwd(), directory, dry_run=dry_run)
        return InitResult(outcome=Outcome.DONE, made=made, dry_run=dry_run)
    with open_situation(settings) as situation:
        needs_ledger = not situation.has_ledger
        if not dry_run:
            ledger_installation.install(situation.connection)
            for sentence in situation.reconcile():
                conversation.says(sentence)
        facts = situation.observed_facts()
        return InitResult(
            outcome=Outcome.DONE if needs_ledger else Outcome.NOTHING,
            needs_ledger=needs_ledger,
            database=str(situation.address),
            revisions=len(facts.tree),
            expanded=sum(facts.is_done(change.revision, Phase.EXPAND) for change in facts.tree),
            dry_run=dry_run,
        )


def _has_alembic_table(toml: Path) -> bool:
    return toml.exists() and "[tool.alembic]" in toml.read_text(encoding="utf-8")
