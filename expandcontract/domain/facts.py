"""The facts that a gate decides on, gathered by others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from expandcontract.domain.approval import Approval
from expandcontract.domain.change import Change
from expandcontract.domain.colour import Router
from expandcontract.domain.evidence import Evidence
from expandcontract.domain.identity import Identity
from expandcontract.domain.instance import Rival
from expandcontract.domain.phase import Phase
from expandcontract.domain.proof import Proof
from expandcontract.domain.removal import Removed
from expandcontract.domain.step import Step, StepState
from expandcontract.domain.tombstone import Tombstone
from expandcontract.domain.window import Control, Window, windows


@dataclass(frozen=True)
class RecordedMeaning:
    """What a step meant: a checksum of each part, of which the first ``ran`` have run."""

    parts: tuple[str, ...]
    ran: int

    def has_run_as(self, parts: tuple[str, ...]) -> bool:
        """Whether what has run would run so again."""
        return parts[: self.ran] == self.parts[: self.ran]


@dataclass(frozen=True)
class StepError:
    """What a step ran into, and when."""

    words: str
    at: datetime


@dataclass(frozen=True)
class Facts:
    """
    What a gate may know. ``now`` is the database's clock.

    ``tree`` holds the changes of the tree at hand, oldest first; ``steps`` and ``router`` come from the ledger.
    ``rows_left`` tells for a revision whether its backfill's own predicate finds a row now, where somebody has looked;
    ``rows_set_aside`` counts the rows that its backfill couldn't fill; ``missing_triggers`` are the changes of
    which a trigger that keeps rows right isn't there; ``titles`` are the ledger's, for changes that the tree lacks.
    ``came`` are the applied revisions in the order in which `ec` expanded them, and ``recorded`` what each step meant
    when it ran, or when the contract began to wait. ``started`` and ``finished`` is when steps were begun and done, and
    ``errors`` what each that isn't done ran into last. ``controls`` is what people decided about windows, and
    ``tombstones`` are those that stand, by revision. ``gone`` is what the models of a release declare and a contract,
    or its tombstone, took: by the release and the contract's revision. ``rival``
    is what other servers of the system say against this one, ``timeline`` the one that it writes, and
    ``traffic_timeline`` the one on which the traffic was last recorded.

    Only a contract asks for the rest. ``evidence`` is what was seen beside the ledger. ``database`` is the one at hand
    and ``known_database`` the one that the ledger was written in; ``ahead`` is a moment in the ledger that the clock
    hasn't reached. Where the configuration asks for it, ``proofs`` say for a revision whether anything refers to
    what its contract removes, ``soak`` how long a tombstone must have stood before that goes, and ``needs_approval``
    that a person has to approve it; ``approvals`` are those given, by revision.
    """

    now: datetime
    tree: tuple[Change, ...] = ()
    steps: Mapping[Step, StepState] = field(default_factory=dict)
    router: Router = field(default_factory=Router)
    rows_left: Mapping[str, bool] = field(default_factory=dict)
    rows_set_aside: Mapping[str, int] = field(default_factory=dict)
    missing_triggers: frozenset[str] = frozenset()
    titles: Mapping[str, str] = field(default_factory=dict)
    came: tuple[str, ...] = ()
    recorded: Mapping[Step, RecordedMeaning] = field(default_factory=dict)
    finished: Mapping[Step, datetime] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)
    controls: Mapping[str, Control] = field(default_factory=dict)
    started: Mapping[Step, datetime] = field(default_factory=dict)
    errors: Mapping[Step, StepError] = field(default_factory=dict)
    database: Identity | None = None
    known_database: Identity | None = None
    ahead: datetime | None = None
    rival: Rival | None = None
    timeline: int | None = None
    traffic_timeline: int | None = None
    proofs: Mapping[str, Proof] = field(default_factory=dict)
    tombstones: Mapping[str, Tombstone] = field(default_factory=dict)
    gone: Mapping[str, Mapping[str, tuple[Removed, ...]]] = field(default_factory=dict)
    soak: timedelta | None = None
    approvals: Mapping[str, Approval] = field(default_factory=dict)
    needs_approval: bool = False

    def change(self, revision: str) -> Change:
        """The change of that revision in this tree; `StopIteration` where there is none."""
        return next(change for change in self.tree if change.revision == revision)

    def state(self, revision: str, phase: Phase) -> StepState:
        """The state of a step; pending where the ledger has nothing."""
        return self.steps.get(Step(revision, phase), StepState.PENDING)

    def is_done(self, revision: str, phase: Phase) -> bool:
        """Whether that step is done."""
        return self.state(revision, phase) is StepState.DONE

    def control(self, revision: str) -> Control:
        """What people decided about the window of that change."""
        return self.controls.get(revision, Control())

    def window_length(self, change: Change) -> timedelta:
        """How long the rollback window of that change is, with what it was extended by."""
        return change.contract_after + self.control(change.revision).extended

    def window_begin(self, change: Change) -> datetime:
        """When the rollback window of that change would have begun that closes now."""
        return self.now - self.window_length(change)

    def windows(self, change: Change) -> tuple[Window, ...]:
        """The windows that hold the contract of that change, the last to close first."""
        closed_at = self.control(change.revision).closed_at
        return windows(change.revision, self.window_length(change), self.router, self.now, closed_at)

    def has_begun(self, revision: str, phase: Phase) -> bool:
        """Whether anything of that step may have been committed."""
        return self.state(revision, phase) is not StepState.PENDING

    def with_done(self, step: Step) -> Facts:
        """These facts as if that step were done as well."""
        return replace(self, steps={**self.steps, step: StepState.DONE})

    @cached_property  # asked for each revision of a tree
    def applied(self) -> frozenset[str]:
        """The revisions of which anything has been applied."""
        return frozenset(
            step.revision
            for step, state in self.steps.items()
            if step.phase is Phase.EXPAND and state is not StepState.PENDING
        )

    def title(self, revision: str) -> str:
        """The change's title, from the tree or else from the ledger; empty where neither knows it."""
        in_tree = (change.title for change in self.tree if change.revision == revision)
        return next(in_tree, self.titles.get(revision, ""))
