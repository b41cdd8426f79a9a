"""``ec colour deploy``: record which release a colour runs, with the revisions of this tree."""

from __future__ import annotations

from expandcontract.commands.colour import ColourResult, Move, check_names, router_of
from expandcontract.commands.conversation import Conversation
from expandcontract.commands.running import observed
from expandcontract.commands.situation import open_situation
from expandcontract.config import Settings
from expandcontract.database import ledger as ledgers
from expandcontract.domain.release import Release
from expandcontract.errors import UsageError


def deploy(
    settings: Settings, conversation: Conversation, *, colour: str, tag: str, dry_run: bool = False
) -> ColourResult:
    """
    Record that `colour` now runs the release `tag`, with the revisions of this tree.

    Onto a colour that has traffic this moves traffic as well: it is recorded, and where the release may not have
    traffic the result says so.

    Raises:
        UsageError: a name that can't be one, or a tag that stands for another build.
        EcError: see `expandcontract.errors`.
    """
    check_names(colour, tag)
    with open_situation(settings) as situation:
        changes = [revision.change for revision in situation.revisions]
        release = Release(
            tag,
            ships=frozenset(change.revision for change in changes),
            needs_backfill=frozenset(
                change.revision for change in changes if change.backfill is not None and change.backfill.required
            ),
        )
        if router_of(situation).knows_another_build(release, colour):
            raise UsageError(
                f"release {tag} is already known with other revisions",
                because="a tag names one build for ever: who takes it for another would contract under the old one",
                next_command=f"ec colour deploy {colour} ANOTHER_TAG (a commit, or a build number)",
            )
        if not dry_run:
            ledgers.install(situation.connection)
            for sentence in situation.reconcile():
                conversation.says(sentence)
            observed(situation, conversation)
        move = Move("deploy", {"colour": colour, "release": tag, "ships": len(release.ships)})
        return move.make(situation, dry_run=dry_run, to=lambda router, now: router.deploy(colour, release, now))
