"""Our own tables in schema ``ec``: what has happened, and what is so now. All times are the database's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from expandcontract.database.actor import Actor
from expandcontract.database.backfill_ledger import BackfillLedger
from expandcontract.database.executor import Executor
from expandcontract.database.ledger_installation import identity_of
from expandcontract.database.model_ledger import ModelLedger
from expandcontract.database.queries import queries
from expandcontract.domain.approval import Approval
from expandcontract.domain.change import Change
from expandcontract.domain.colour import Colour, Router
from expandcontract.domain.duration import format_duration
from expandcontract.domain.identity import Identity
from expandcontract.domain.phase import Phase
from expandcontract.domain.release import Release
from expandcontract.domain.step import Step, StepState
from expandcontract.domain.watching import Stretch, continues
from expandcontract.domain.window import Control


@dataclass(frozen=True)
class StepRecord:
    """What the ledger knows of one step; ``outside``: plain alembic applied it; ``writers``: see `Backfill`."""

    step: Step
    state: StepState
    parts_done: int
    outside: bool
    title: str
    writers: str | None
    error: str | None
    failed_at: datetime | None
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class Event:
    """One line of history: what, when, which step, who, where, from which tree, on which facts."""

    id: int
    at: datetime
    kind: str
    step: Step | None
    revision: str | None
    role: str
    person: str
    host: str
    pid: int
    tree: str | None
    facts: Mapping[str, Any]


class Ledger:
    """
    Reads and writes the ledger through one executor, in whatever transaction that is.

    Args:
        executor: where to run the statements.
        actor: who acts, for the events.
    """

    def __init__(self, executor: Executor, actor: Actor) -> None:
        self._executor = executor
        self._actor = actor

    def _rows(self, query: str, /, **parameters: object) -> list[tuple[Any, ...]]:
        return self._executor.rows(queries("ledger")[query], parameters)

    def id(self) -> str:
        """The ledger's identity: two databases never share one, unless one is a copy of the other."""
        return str(self._rows("version")[0][1])

    def database(self) -> Identity:
        """The database that this is."""
        return identity_of(self._executor)

    def known_database(self) -> Identity | None:
        """The database in which this ledger was written; None where it doesn't know."""
        rows = self._rows("known_database")
        return Identity(*rows[0]) if rows else None

    def put_database(self, identity: Identity) -> None:
        """Let the ledger be at home in this database from now on."""
        self._rows("put_database", system=identity.system, oid=identity.oid)

    def traffic_timeline(self) -> int | None:
        """The timeline of the primary on which the traffic was last recorded; None where it isn't known."""
        rows = self._rows("traffic_timeline")
        return rows[0][0] if rows else None

    def put_traffic_timeline(self, timeline: int | None) -> None:
        """The traffic was recorded just now, on a primary of that timeline."""
        if timeline is not None:
            self._rows("put_traffic_timeline", timeline=timeline)

    def ahead(self) -> datetime | None:
        """The latest moment in the history that the database's clock hasn't reached; None where there is none."""
        moment: datetime | None = self._rows("ahead")[0][0]
        return moment

    @property
    def backfills(self) -> BackfillLedger:
        """The part for backfills, in the same transaction."""
        return BackfillLedger(self._executor)

    @property
    def executor(self) -> Executor:
        """For what isn't the ledger's, in the same transaction."""
        return self._executor

    def now(self) -> datetime:
        """The database's clock."""
        moment: datetime = self._rows("now")[0][0]
        return moment

    def steps(self) -> dict[Step, StepRecord]:
        """Every step that has left a record."""
        return {
            (step := Step(revision, Phase(phase))): StepRecord(step, StepState(state), *rest)
            for revision, phase, state, *rest in self._rows("steps")
        }

    def router(self) -> Router:
        """The colours, their weights and the releases known."""
        ships: dict[str, set[str]] = {}
        needs: dict[str, set[str]] = {}
        for tag, revision, needs_backfill in self._rows("shipped"):
            ships.setdefault(tag, set()).add(revision)
            if needs_backfill:
                needs.setdefault(tag, set()).add(revision)
        releases = {
            tag: Release(tag, frozenset(ships.get(tag, ())), frozenset(needs.get(tag, ())), last_traffic)
            for tag, last_traffic in self._rows("releases")
        }
        colours = {name: Colour(name, release, weight) for name, release, weight in self._rows("colours")}
        return Router(colours, releases, self._rows("watched_since")[0][0])

    def lock_router(self) -> None:
        """Until the transaction ends nobody else moves traffic or holds it."""
        self._rows("lock_router")

    def hold_router(self) -> None:
        """Until the transaction ends traffic stays as it is read now; others may hold it as well."""
        self._rows("hold_router")

    def put_look(self, at: datetime, *, is_known: bool, said: str, gap: timedelta) -> None:
        """Record a look at the colour sources; the caller holds `lock_router`."""
        rows = self._rows("last_observation")
        last = Stretch(*rows[0][1:]) if rows else None
        if continues(last, at, is_known=is_known, gap=gap):
            self._rows("go_on_observing", id=rows[0][0], at=at, said=said)
        else:
            self._rows("begin_observation", at=at, is_known=is_known, said=said)

    def stretches(self, since: datetime) -> tuple[Stretch, ...]:
        """The stretches of looks that go beyond `since`, in their order."""
        return tuple(Stretch(*row) for row in self._rows("observations", since=since))

    def put_router(self, router: Router, before: Router) -> None:
        """Write what differs between two states of the router."""
        for tag, release in router.releases.items():
            known = before.releases.get(tag)
            if release != known:
                self._rows("put_release", tag=tag, last_traffic=release.last_traffic)
            if known is None or (known.ships, known.needs_backfill) != (release.ships, release.needs_backfill):
                revisions = {revision: revision in release.needs_backfill for revision in release.ships}
                self._rows("forget_shipped", tag=tag)
                self._rows("put_shipped", tag=tag, revisions=json.dumps(revisions))
        for name, colour in router.colours.items():
            if colour != before.colours.get(name):
                self._rows("put_colour", name=name, release=colour.release, weight=colour.weight)
        for name in before.colours.keys() - router.colours.keys():
            self._rows("drop_colour", name=name)

    def put_step(
        self,
        step: Step,
        state: StepState,
        *,
        title: str,
        parts_done: int = 0,
        outside: bool = False,
        writers: str | None = None,
        error: str | None = None,
    ) -> None:
        """Record how far a step has come."""
        self._rows(
            "put_step",
            revision=step.revision,
            phase=str(step.phase),
            state=str(state),
            title=title,
            parts_done=parts_done,
            outside=outside,
            writers=writers,
            error=error,
        )

    def part_ran(self, change: Change, phase: Phase, index: int, facts: Mapping[str, Any]) -> None:
        """Record that a part of an expand or a contract has run; with an expand its contract begins to wait."""
        parts = change.parts(phase)
        is_last = index + 1 == len(parts)
        step = Step(change.revision, phase)
        state = StepState.DONE if is_last else StepState.STARTED
        self.put_step(step, state, title=change.title, parts_done=index + 1)
        self.put_meaning(change, phase)
        if phase is Phase.CONTRACT and change.removal:
            ModelLedger(self._executor).put_removed(change.revision, change.removal.removed)
        if is_last and phase is Phase.EXPAND:
            self.put_meaning(change, Phase.CONTRACT)
        kind = f"{phase} done" if is_last else f"{phase} part done"
        self.record(kind, {"part": parts[index], **facts}, step=step)

    def put_meaning(self, change: Change, phase: Phase) -> None:
        """Keep what a phase of the change means; a phase that it hasn't means nothing."""
        if phase in change.meanings:
            parts = list(change.meanings[phase])
            self._rows("put_meaning", revision=change.revision, phase=str(phase), parts=parts)

    def amend(self, change: Change) -> None:
        """Take what the change means now for what it meant all along."""
        self._rows("drop_meanings", revision=change.revision)
        for phase in change.meanings:
            self.put_meaning(change, phase)

    def meanings(self) -> dict[Step, tuple[str, ...]]:
        """What each step meant when it ran, or, for a contract, when it began to wait."""
        return {Step(revision, Phase(phase)): tuple(parts) for revision, phase, parts in self._rows("meanings")}

    def controls(self) -> dict[str, Control]:
        """What people decided about the windows of changes."""
        return {
            revision: Control(timedelta(seconds=extended), closed_at, person, reason)
            for revision, extended, closed_at, person, reason in self._rows("controls")
        }

    def extend_window(self, revision: str, length: timedelta, reason: str | None) -> None:
        """Make the window of a change so much longer; one that was closed early is open again."""
        seconds = length.total_seconds()
        self._rows("extend_window", revision=revision, seconds=seconds, person=self._actor.person, reason=reason)
        facts = {"by": format_duration(length), "reason": reason}
        self.record("window extended", facts, step=Step(revision, Phase.CONTRACT))

    def close_window(self, revision: str, reason: str, gives_up: Sequence[str]) -> None:
        """Close the window of a change now, which gives up these releases as places to go back to."""
        self._rows("close_window", revision=revision, person=self._actor.person, reason=reason)
        facts = {"gives_up": list(gives_up), "reason": reason}
        self.record("window closed", facts, step=Step(revision, Phase.CONTRACT))

    def approvals(self) -> dict[str, Approval]:
        """The contracts that somebody has approved, by their revision."""
        return {
            revision: Approval(tuple(parts), person, at, reason)
            for revision, parts, person, at, reason in self._rows("approvals")
        }

    def approve(self, revision: str, parts: Sequence[str], reason: str) -> None:
        """Keep that the actor approves a contract whose parts have these checksums."""
        self._rows("put_approval", revision=revision, parts=list(parts), person=self._actor.person, reason=reason)
        facts = {"parts": list(parts), "reason": reason}
        self.record("contract approved", facts, step=Step(revision, Phase.CONTRACT))

    def forget_change(self, revision: str) -> None:
        """Everything about a change's steps, as if it had never been expanded; its events stay."""
        self._rows("drop_backfill", revision=revision)
        self._rows("drop_meanings", revision=revision)
        self._rows("drop_window", revision=revision)
        self._rows("drop_approval", revision=revision)
        self._rows("drop_steps", revision=revision)

    def was_undone(self, revision: str) -> bool:
        """Whether a change has been taken back, and nothing of it has run since."""
        return bool(self._rows("was_undone", revision=revision)[0][0])

    def was_retired(self, colour: str) -> bool:
        """Whether a colour of that name has been retired."""
        return bool(self._rows("was_retired", name=colour)[0][0])

    def given_back(self, name: str) -> str | None:
        """The change whose tombstone was undone last, of those whose id begins with `name`; None where one stands."""
        rows = self._rows("given_back", name=name)
        return str(rows[0][0]) if rows else None

    def record(
        self, kind: str, facts: Mapping[str, Any], *, step: Step | None = None, revision: str | None = None
    ) -> None:
        """Append one line to the history; `facts` must be fit for JSON and free of secrets."""
        self._rows(
            "put_event",
            kind=kind,
            revision=step.revision if step else revision,
            phase=str(step.phase) if step else None,
            person=self._actor.person,
            host=self._actor.host,
            pid=self._actor.pid,
            tree=self._actor.tree,
            facts=json.dumps(facts, default=str),
        )

    def events(self, *, most: int, revision: str | None = None) -> list[Event]:
        """The newest events, oldest first."""
        rows = self._rows("events", most=most, revision=revision)
        return [
            Event(
                id_,
                at,
                kind,
                Step(about, Phase(phase)) if phase else None,
                about,
                role,
                person,
                host,
                pid,
                tree,
                json.loads(facts),
            )
            for id_, at, kind, about, phase, role, person, host, pid, tree, facts in rows
        ]
