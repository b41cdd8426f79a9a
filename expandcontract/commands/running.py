"""What the acting commands share: the runner's lock, the ledger in place, and the gate asked again inside."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import psycopg

from expandcontract.alembic_bridge.concurrent_indexes import Repair
from expandcontract.alembic_bridge.revisions import Revision
from expandcontract.alembic_bridge.runner import Ask, Runner
from expandcontract.alembic_bridge.sync_check import check_syncs
from expandcontract.alembic_bridge.task import Patience
from expandcontract.commands.asking import Observation, with_evidence
from expandcontract.commands.conversation import Conversation
from expandcontract.commands.instances import check_has_no_rival
from expandcontract.commands.observing import observe
from expandcontract.commands.result import Refused
from expandcontract.commands.situation import Situation
from expandcontract.commands.standby_readers import readers_ahead
from expandcontract.database import ledger_installation
from expandcontract.database.advisory_lock import runner_lock
from expandcontract.database.connect import connect
from expandcontract.database.ledger import Ledger
from expandcontract.domain.blocker import Blocker
from expandcontract.domain.gate import refusals
from expandcontract.domain.override import Override
from expandcontract.domain.phase import Phase
from expandcontract.domain.step import Step, StepState
from expandcontract.errors import ConfigurationError
from expandcontract.lint.building import indexes_built
from expandcontract.lint.ending import ends_transaction


@dataclass(frozen=True)
class Running:
    """A situation in which this process is the one runner."""

    situation: Situation
    runner: Runner
    conversation: Conversation
    observation: Observation | None  # made when this run began; None where no colour source is configured

    def run_step(self, revision: Revision, phase: Phase, ask: Ask) -> None:
        """
        Run the parts of a step that aren't done yet, one after the other.

        Raises:
            LockBudgetSpent, StepFailed: from the part that didn't run; those before it stay.
        """
        revision = self.situation.understood(revision)
        step = Step(revision.change.revision, phase)
        record = self.situation.ledger.steps().get(step)
        begins_at = record.parts_done if record and record.state is not StepState.DONE else 0
        if phase is Phase.EXPAND and begins_at == 0:
            with user_connection(self.situation) as connection:
                check_syncs(connection, revision)
        was_cut_short = record is not None and record.state is not StepState.PENDING
        for index in range(begins_at, len(revision.parts(phase))):
            part = revision.change.parts(phase)[index]
            self.conversation.part_begins(step, revision.change.title, part)
            began = time.monotonic()
            repair = replace(self._repair, was_cut_short=was_cut_short and index == begins_at)
            readers = readers_ahead(self.situation, revision, phase, index)
            self.runner.run_part(revision, phase, index, ask, repair, readers)
            self.conversation.part_done(step, part, time.monotonic() - began)

    @property
    def _repair(self) -> Repair:
        return Repair(indexes_built, partial(user_connection, self.situation))

    def undo(self, revision: Revision, ask: Ask, facts: dict[str, Any]) -> None:
        """See `Runner.undo`."""
        self.runner.undo(revision, ask, facts, self._repair)

    def ask_gate(self, revision: Revision, phase: Phase, override: Override) -> Ask:
        """The question that a part asks inside its transaction: do the facts still hold, but for what is overridden?"""
        settings = self.situation.settings

        def ask(ledger: Ledger) -> Mapping[str, Any]:
            facts = self.situation.facts(ledger)
            if phase is Phase.CONTRACT:  # the application may wait for us, so the witnesses get no longer than a lock
                seconds = settings.lock_timeout.total_seconds()
                apart = self.situation.ledger.executor
                facts = with_evidence(
                    settings, ledger, facts, seconds=seconds, apart=apart, probing=self.situation.probing
                )
            # the one from the facts knows its footprint, without which an expand could overtake nothing
            found = refusals(facts.change(revision.change.revision), phase, facts)
            if refused := override.standing(found):
                raise Refused(refused)
            return override.on_record(found)

        return ask


@contextmanager
def become_runner(situation: Situation, conversation: Conversation) -> Iterator[Running]:
    """
    Hold the runner's lock, with the ledger installed and in step with Alembic's version table.

    Raises:
        RunnerBusy: another runner is at work.
        ConfigurationError: as for `ledger_in_place`.
    """
    with runner_lock(situation.address, application_name=situation.actor.application_name) as connection:
        ledger_in_place(situation, conversation)
        settings = situation.settings
        runner = Runner(
            situation.project,
            connection,
            situation.actor,
            Patience(settings.lock_timeout, settings.lock_budget, settings.hold_timeout, settings.cancel_blockers),
            conversation.blocked,
            partial(_tell_of_a_wait, conversation),
            ends_transaction,
        )
        yield Running(situation, runner, conversation, observed(situation, conversation))


def _tell_of_a_wait(conversation: Conversation, step: Step, part: str, blockers: tuple[Blocker, ...]) -> None:
    who = "; ".join(map(str, blockers))
    conversation.says(f"{step}: {part} waits, without keeping anybody waiting, until it ends: {who}")


def ledger_in_place(situation: Situation, conversation: Conversation) -> None:
    """
    Have the ledger installed, to ourselves, and in step with Alembic's version table.

    Raises:
        ConfigurationError: others may write it, so that it proves nothing.
    """
    if ledger_installation.install(situation.connection):
        conversation.says("the ledger was created in schema ec")
    writers = ledger_installation.writers(situation.ledger.executor, situation.settings.maintenance_roles)
    if writers:
        raise ConfigurationError(
            "the ledger isn't ours alone", because=writers[0].because, next_command=writers[0].remedy
        )
    for sentence in situation.reconcile():
        conversation.says(sentence)


def observed(situation: Situation, conversation: Conversation) -> Observation | None:
    """One look at the traffic, recorded; None where no colour source is configured or no colour is known."""
    if not situation.settings.colours or not situation.has_ledger or not situation.ledger.router().colours:
        return None
    seen = observe(situation.settings, situation)
    if seen.sighting.because is not None:
        conversation.says(f"who has the traffic is unknown: {seen.sighting.because}")
    elif seen.moved:
        conversation.says(f"the traffic has moved: {', '.join(sorted(seen.sighting.live))} live; it is recorded")
    return seen


@contextmanager
def user_connection(situation: Situation) -> Iterator[psycopg.Connection[Any]]:
    """A connection of ours on which the author's SQL finds what it finds on theirs: with their search path."""
    with open_user_connection(situation, situation.actor.application_name) as connection:
        yield connection


def open_user_connection(situation: Situation, application_name: str) -> psycopg.Connection[Any]:
    """
    `user_connection`, to be closed by the caller.

    Raises:
        ServerUnfit, ServerUnreachable: see `connect`.
    """
    connection = connect(situation.address, application_name=application_name, pin_search_path=False, direct=True)
    try:
        check_has_no_rival(situation.settings, situation.address, connection)
    except BaseException:
        connection.close()
        raise
    return connection
