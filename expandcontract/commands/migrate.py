"""``ec migrate expand``, ``ec migrate contract`` and, for development, ``ec migrate all``."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from expandcontract.alembic_bridge.offline import render
from expandcontract.alembic_bridge.revisions import Revision
from expandcontract.alembic_bridge.sync_check import check_syncs
from expandcontract.backfill.verification import rows_left_in
from expandcontract.commands.asking import with_evidence
from expandcontract.commands.conversation import Conversation
from expandcontract.commands.filling import Pacing, fill
from expandcontract.commands.health import verdicts
from expandcontract.commands.proof_view import ProofView, proof_of
from expandcontract.commands.result import Refused, Result, outcome_of
from expandcontract.commands.running import Running, become_runner, user_connection
from expandcontract.commands.situation import Situation, open_situation, with_rows_left
from expandcontract.commands.whole_rows import whole_row_warnings
from expandcontract.config import Settings
from expandcontract.database.ledger import Ledger
from expandcontract.domain.facts import Facts
from expandcontract.domain.gate import new_code_may_have_written, refusals
from expandcontract.domain.override import NOTHING, Override
from expandcontract.domain.phase import Phase
from expandcontract.domain.plan import pending
from expandcontract.domain.refusal import Refusal
from expandcontract.domain.step import Step
from expandcontract.domain.throttle import Level
from expandcontract.errors import UsageError

_LATENESS = ("replication_lag", "replication_delay")  # the health signals that tell how late standbys are
_LOOK_AGAIN = timedelta(seconds=30)  # for rows that the backfill hasn't reached, just before a contract


@dataclass(frozen=True, kw_only=True)
class MigrateResult(Result):
    """
    The steps that ran (with `dry_run`: that would run), what was refused, and the SQL where it was asked for.

    ``overridden`` is what would have been refused, had nobody answered for it; ``proofs`` are those that a `dry_run`
    went by, where the configuration asks for evidence.
    """

    steps: tuple[Step, ...] = ()
    overridden: tuple[Refusal, ...] = ()
    proofs: tuple[ProofView, ...] = ()
    dry_run: bool = False
    sql: str | None = field(default=None)

    @property
    def is_news(self) -> bool:
        """See `Result.is_news`; that a contract ran as well, for it has closed a way back."""
        closes = not self.dry_run and any(step.phase is Phase.CONTRACT for step in self.steps)
        return closes or super().is_news


def expand(
    settings: Settings,
    conversation: Conversation,
    *,
    to: str | None = None,
    dry_run: bool = False,
    as_sql: bool = False,
) -> MigrateResult:
    """
    Run every expand that waits, up to and including the revision `to`.

    Raises:
        EcError: see `expandcontract.errors`; what ran before stays.
    """
    with open_situation(settings) as situation:
        if dry_run or as_sql:
            waiting = _expands(situation, situation.observed_facts(), to)
            _tell_of_whole_rows(situation, waiting, conversation)
            return _foreseen(situation, waiting, Phase.EXPAND, as_sql=as_sql)
        with become_runner(situation, conversation) as running:
            waiting = _expands(situation, situation.facts(), to)
            _tell_of_whole_rows(situation, waiting, conversation)
            _tell_of_late_standbys(running, waiting)
            return _run(running, waiting, Phase.EXPAND, stop_at_refusal=True)


def contract(
    settings: Settings,
    conversation: Conversation,
    *,
    only: str | None = None,
    override: Override = NOTHING,
    dry_run: bool = False,
    as_sql: bool = False,
) -> MigrateResult:
    """
    Run the contract of `only`, or every contract that waits; each is asked for itself.

    Args:
        settings: the settings.
        conversation: who listens.
        only: the one revision.
        override: which refusals of that one count for nothing, and why.
        dry_run: judge, and change nothing.
        as_sql: give the SQL, and change nothing.

    Raises:
        UsageError: the revision has no contract.
        EcError: see `expandcontract.errors`; what ran before stays.
    """
    with open_situation(settings) as situation:
        if dry_run or as_sql:
            waiting = _contracts(situation, situation.observed_facts(), only)
            return _foreseen(situation, waiting, Phase.CONTRACT, as_sql=as_sql, override=override)
        with become_runner(situation, conversation) as running:
            waiting = _contracts(situation, situation.facts(), only)
            _tell_of_late_standbys(running, waiting)
            return _run(running, waiting, Phase.CONTRACT, stop_at_refusal=False, override=override)


def everything(settings: Settings, conversation: Conversation, *, dry_run: bool = False) -> MigrateResult:
    """
    Run every phase of every change, in the order of the history: for development and tests.

    Raises:
        UsageError: the database has seen a colour, so somebody's traffic may depend on it.
        EcError: see `expandcontract.errors`; what ran before stays.
    """
    with open_situation(settings) as situation:
        if situation.has_ledger:
            _refuse_where_colours_are_known(situation.ledger)
        if dry_run:
            waiting = tuple(step for step, _ in _waiting_steps(situation, situation.observed_facts()))
            return MigrateResult(outcome=outcome_of(len(waiting), ()), steps=waiting, dry_run=True)
        with become_runner(situation, conversation) as running:
            done = []
            for step, revision in _waiting_steps(situation, situation.facts()):
                if step.phase is Phase.BACKFILL:
                    fill(situation, revision, conversation, pacing=Pacing(None), new_code_wrote=False)
                else:
                    running.run_step(revision, step.phase, _refuse_where_colours_are_known)
                done.append(step)
            return MigrateResult(outcome=outcome_of(len(done), ()), steps=tuple(done))


def _refuse_several_heads(situation: Situation) -> None:
    """Two changes that come after the same one have no order, and no two databases would be sure to agree on one."""
    heads = sorted(situation.project.script.get_heads())
    if len(heads) > 1:
        raise UsageError(
            f"the history has {len(heads)} heads: {', '.join(heads)}",
            because="changes that come after the same one have no order among themselves",
            next_command="ec revision --merge, or put one after the other: down_revision in its file",
        )


def _tell_of_late_standbys(running: Running, waiting: list[Revision]) -> None:
    """What is locked here is locked there as well, only later: when nobody thinks of it any more."""
    if not waiting:
        return
    for verdict in verdicts(running.situation.settings, running.situation.connection, _LATENESS):
        if verdict.level >= Level.STRAINED:
            running.conversation.says(f"{verdict.words}: so much later its readers wait for what is locked now")


def _tell_of_whole_rows(situation: Situation, waiting: list[Revision], conversation: Conversation) -> None:
    for warning in whole_row_warnings(situation, waiting):
        conversation.says(warning)


def _waiting_steps(situation: Situation, facts: Facts) -> list[tuple[Step, Revision]]:
    """Every step that isn't done, change by change."""
    if pending(facts, Phase.EXPAND):
        _refuse_several_heads(situation)
    return [
        (Step(revision.change.revision, phase), revision)
        for revision in situation.revisions
        for phase in revision.change.phases
        if not facts.is_done(revision.change.revision, phase)
    ]


def _refuse_where_colours_are_known(ledger: Ledger) -> None:
    router = ledger.router()
    if router.colours or router.releases:
        names = ", ".join(sorted(router.colours) or sorted(router.releases))
        raise UsageError(
            "this database has seen a colour, so ec migrate all is refused",
            because=f"the ledger knows {names}: running contracts without asking could break what has traffic",
            next_command="ec migrate expand, ec backfill and ec migrate contract",
        )


def _expands(situation: Situation, facts: Facts, to: str | None) -> list[Revision]:
    waiting = {change.revision for change in pending(facts, Phase.EXPAND)}
    if waiting:
        _refuse_several_heads(situation)
    wanted = list(situation.revisions)
    if to is not None:
        wanted = wanted[: wanted.index(situation.revision(to)) + 1]
    return [revision for revision in wanted if revision.change.revision in waiting]


def _contracts(situation: Situation, facts: Facts, only: str | None) -> list[Revision]:
    waiting = {change.revision for change in pending(facts, Phase.CONTRACT)}
    wanted = [situation.revision(only)] if only is not None else list(situation.revisions)
    if only is not None and not wanted[0].contract:
        raise UsageError(
            f"{only} ({wanted[0].change.title}) has no contract()", next_command="ec plan shows what each change has"
        )
    return [revision for revision in wanted if revision.change.revision in waiting]


def _run(
    running: Running, waiting: list[Revision], phase: Phase, *, stop_at_refusal: bool, override: Override = NOTHING
) -> MigrateResult:
    done: list[Step] = []
    refused: list[Refusal] = []
    overridden: list[Refusal] = []
    for revision in waiting:
        facts = running.situation.facts()
        if phase is Phase.CONTRACT:
            situation = running.situation
            facts = with_evidence(
                situation.settings, situation.ledger, facts, seen=running.observation, probing=situation.probing
            )
        found = _refusals(running.situation, facts, revision, phase, override)
        no = override.standing(found)
        if not no:
            overridden += override.overridden(found)
            try:
                running.run_step(revision, phase, running.ask_gate(revision, phase, override))
                done.append(Step(revision.change.revision, phase))
            except Refused as changed:  # the facts changed while the step waited for its locks
                no = changed.refusals
        refused += no
        if no and stop_at_refusal:
            break
    for refusal in refused:
        running.situation.ledger.record(
            f"{phase} refused",
            {"code": refusal.code, "because": refusal.because, "until": refusal.until},
            step=refusal.step,
        )
    return MigrateResult(
        outcome=outcome_of(len(done), tuple(refused)),
        refusals=tuple(refused),
        steps=tuple(done),
        overridden=tuple(overridden),
    )


def _refusals(
    situation: Situation, facts: Facts, revision: Revision, phase: Phase, override: Override
) -> tuple[Refusal, ...]:
    """The gate's answer; for a contract that could run, with a fresh look for rows that its backfill hasn't reached."""
    change = facts.change(revision.change.revision)
    no = refusals(change, phase, facts)
    looks = phase is Phase.CONTRACT and change.backfill is not None and not facts.has_begun(change.revision, phase)
    if override.standing(no) or not looks or change.backfill is None:
        return no
    wrote = new_code_may_have_written(change, facts)
    with user_connection(situation) as connection:
        # a table too large for that has been looked at whole, range by range, and was kept right since
        left = rows_left_in(connection, change.backfill, new_code_wrote=wrote, patience=_LOOK_AGAIN)
    return refusals(change, phase, with_rows_left(facts, {change.revision: left is True}))


def _foreseen(
    situation: Situation, waiting: list[Revision], phase: Phase, *, as_sql: bool, override: Override = NOTHING
) -> MigrateResult:
    """
    What a run would do, without writing anything.

    Each expand is judged as if those before it had run.
    """
    facts = situation.observed_facts()
    if phase is Phase.CONTRACT and situation.has_ledger:
        facts = with_evidence(situation.settings, situation.ledger, facts, probing=situation.probing)
    allowed: list[Revision] = []
    refused: list[Refusal] = []
    overridden: list[Refusal] = []
    for revision in waiting:
        found = _refusals(situation, facts, revision, phase, override)
        if no := override.standing(found):
            refused += no
            if phase is Phase.EXPAND:
                break
            continue
        allowed.append(revision)
        overridden += override.overridden(found)
        facts = facts.with_done(Step(revision.change.revision, phase))
    if phase is Phase.EXPAND and allowed:
        with user_connection(situation) as connection:
            check_syncs(connection, allowed[0])  # the later ones may stand on tables that aren't there yet
    sql = None
    if as_sql:
        patience = situation.settings.lock_timeout
        sql = render(
            situation.project, situation.connection, allowed, phase, situation.heads, patience, situation.actor
        )
    steps = tuple(Step(revision.change.revision, phase) for revision in allowed)
    outcome = outcome_of(len(steps), tuple(refused))
    proofs = [proof_of(situation.settings, Step(revision.change.revision, phase), facts) for revision in waiting]
    return MigrateResult(
        outcome=outcome,
        proofs=tuple(filter(None, proofs)),
        refusals=tuple(refused),
        steps=steps,
        overridden=tuple(overridden),
        dry_run=True,
        sql=sql,
    )
