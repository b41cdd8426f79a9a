"""``ec revision``: a new revision file; with its phases, where the models are compared with the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from alembic.runtime.migration import MigrationContext

from expandcontract.alembic_bridge.authoring.autogenerate.assembling import drafts
from expandcontract.alembic_bridge.authoring.autogenerate.comparing import compare, template_arguments
from expandcontract.alembic_bridge.authoring.autogenerate.differences import placements
from expandcontract.alembic_bridge.authoring.autogenerate.renames import possible_renames
from expandcontract.alembic_bridge.authoring.autogenerate.retyped import replacements
from expandcontract.alembic_bridge.authoring.autogenerate.surroundings import Surroundings
from expandcontract.alembic_bridge.authoring.draft import UNDECIDED
from expandcontract.alembic_bridge.authoring.writer import Place, Written, write, write_empty
from expandcontract.alembic_bridge.project import open_project
from expandcontract.commands.conversation import Conversation
from expandcontract.commands.result import Outcome, Result
from expandcontract.config import Settings
from expandcontract.errors import UsageError


@dataclass(frozen=True)
class RevisionFile:
    """A revision file that was written: its id, its path, its text, and how many places in it need a decision."""

    revision: str
    path: str
    text: str
    undecided: int


@dataclass(frozen=True, kw_only=True)
class RevisionResult(Result):
    """The files that were written (with `dry_run`: that would be), in the order of the history."""

    files: tuple[RevisionFile, ...] = ()
    dry_run: bool = False


def revision(
    settings: Settings,
    conversation: Conversation,
    *,
    message: str | None,
    place: Place,
    autogenerate: bool = False,
    contract_after: str | None = None,
    dry_run: bool = False,
) -> RevisionResult:
    """
    Write a new revision file.

    Args:
        settings: the settings.
        conversation: told what a comparison can't see.
        message: the change's title.
        place: where in the history it goes.
        autogenerate: compare the models with the database, and give the file the phases that lead from one to the
            other. Where rows of several tables must be filled, or a column takes another's place, there are several
            files. Without differences, none.
        contract_after: the change's own rollback window.
        dry_run: write nothing.

    Raises:
        UsageError: Alembic refuses the place.
        ConfigurationError: the project can't be used, or the database isn't at the newest revision.
    """
    project = open_project(settings.project)
    if not autogenerate:
        arguments = template_arguments(project)
        return _result([write_empty(project, message, place, template_arguments=arguments, dry_run=dry_run)], dry_run)
    written: list[Written] = []

    def author(around: Surroundings, context: MigrationContext, values: dict[str, Any]) -> None:
        for hint in possible_renames(around):
            conversation.says(hint)
        if not around.differences:
            return
        then, title = place, message or "empty message"
        replacing, rest = replacements(around, title)
        for draft in (*(drafts(placements(rest), title) if rest.differences else ()), *replacing):
            timed = replace(draft, contract_after=contract_after)
            one = write(project, timed, then, context, template_arguments=values, dry_run=dry_run)
            written.append(one)
            then = Place(head=one.revision, version_path=place.version_path)

    compare(project, message, place, author)
    return _result(written, dry_run)


def merge(
    settings: Settings, *, revisions: tuple[str, ...], message: str | None, place: Place, dry_run: bool = False
) -> RevisionResult:
    """
    Write the revision that joins `revisions` into one head again; all heads, where none is named.

    Raises:
        UsageError: there is only one head, or Alembic refuses.
    """
    project = open_project(settings.project)
    joined = revisions or tuple(project.script.get_heads())
    if len(joined) < 2:
        raise UsageError(
            f"there is nothing to merge: the history has one head, {', '.join(joined) or 'none'}",
            next_command="ec revision -m MESSAGE",
        )
    title = message or f"merge {' and '.join(joined)}"
    arguments = template_arguments(project)
    place = replace(place, head=joined)
    return _result([write_empty(project, title, place, template_arguments=arguments, dry_run=dry_run)], dry_run)


def _result(written: Sequence[Written], dry_run: bool) -> RevisionResult:
    files = tuple(RevisionFile(one.revision, str(one.path), one.text, one.text.count(UNDECIDED)) for one in written)
    return RevisionResult(outcome=Outcome.DONE if files else Outcome.NOTHING, files=files, dry_run=dry_run)
