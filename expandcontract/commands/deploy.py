"""``ec colour deploy``: record which release a colour runs, with the revisions of this tree."""

from __future__ import annotations

from itertools import chain

from expandcontract.alembic_bridge.models import declared_by, metadata_named
from expandcontract.commands.colour import DeployResult, Move, broken_now, check_names, router_of
from expandcontract.commands.conversation import Conversation
from expandcontract.commands.result import Outcome
from expandcontract.commands.running import observed
from expandcontract.commands.situation import Situation, open_situation
from expandcontract.config import Settings
from expandcontract.database import ledger_installation
from expandcontract.database.model_ledger import ModelLedger
from expandcontract.domain.colour import Router
from expandcontract.domain.models import Declared
from expandcontract.domain.release import Release
from expandcontract.errors import UsageError


def deploy(
    settings: Settings,
    conversation: Conversation,
    *,
    colour: str,
    tag: str,
    models: tuple[str, ...] = (),
    dry_run: bool = False,
) -> DeployResult:
    """
    Record that `colour` now runs the release `tag`, with the revisions of this tree and what its models declare.

    Onto a colour that has traffic this moves traffic as well: it is recorded, and where the release may not have
    traffic the result says so.

    Args:
        settings: the settings.
        conversation: who listens.
        colour: the slot.
        tag: of the release.
        models: where its models are, such as ``shop.models:Base.metadata``; by default env.py's ``target_metadata``.
        dry_run: judge, and change nothing.

    Raises:
        UsageError: a name that can't be one, or a tag that stands for another build.
        ConfigurationError: there are no models where they should be.
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
        declared = declared_by(chain.from_iterable(map(metadata_named, models)) if models else situation.metadata)
        router = router_of(situation)
        if router.knows_another_build(release, colour) or _had_other_models(situation, router, tag, declared):
            raise UsageError(
                f"release {tag} is already known with other revisions or models",
                because="a tag names one build for ever: who takes it for another would contract under the old one",
                next_command=f"ec colour deploy {colour} ANOTHER_TAG (a commit, or a build number)",
            )
        if not dry_run:
            ledger_installation.install(situation.connection)
            for sentence in situation.reconcile():
                conversation.says(sentence)
            observed(situation, conversation)
        tables = len(declared) or None  # models that nobody has imported look like none
        event = {"colour": colour, "release": tag, "ships": len(release.ships)}
        move = Move("deploy", {**event, "tables": tables} if tables else event)
        with situation.connection.transaction():
            made = move.make(situation, dry_run=dry_run, to=lambda router, now: router.deploy(colour, release, now))
            no = made.refusals
            if declared and not dry_run:
                ModelLedger(situation.ledger.executor).put(tag, declared)
                no = broken_now(situation)  # it may be live at once, and declare what is gone
        outcome = Outcome.REFUSED if no else Outcome.DONE
        return DeployResult(outcome=outcome, refusals=no, colours=made.colours, dry_run=dry_run, tables=tables)


def _had_other_models(situation: Situation, router: Router, tag: str, declared: tuple[Declared, ...]) -> bool:
    """Whether a release of that name had traffic and declares something else: it is another build."""
    if tag not in router.releases or router.last_traffic(tag, situation.ledger.now()) is None or not declared:
        return False
    known = ModelLedger(situation.ledger.executor).known(tag)
    return known is not None and known != frozenset(declared)
